# ---
# jupyter:
#   attribook:
#     finding: "**Knowns, judge"
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Noiser · Tables 3 and 6: can a judge answer from the important words?
#
# Noiser's *answerability*: a judge sees the more important half of a prompt's words, in their order, and says the
# next word. The rate is how often that is the explained model's own prediction; the score counts each such answer
# with the kept share of the attribution mass; Table 6 also accepts the judge's five most probable answers. Claims:
# Noiser has the highest score, occlusion the highest rate. A judge may know the answer without the words, or from any
# of them, so this page asks what it answers without a method first. Reads `results/<profile>/noiser_knowns_judged_*`
# and `reagent_longra_judged_*`. Cost: from stored rows, seconds.
#
# ```{admonition} What differs from the paper
# :class: important
# **Judge**: models of 135M and 270M parameters that continue a line, not Llama-3.3-70B-Instruct; a small judge fails
# where a large one would not. **The judge's prompt** is ours and printed below; the released script asks for a list
# of five completions. **Model**: 135M parameters, 4-bit weights brought back to float32, not the paper's six.
# **Data**: our own prompts in the form of Knowns; another judge, and LongRA, of which the paper has no table, where
# the cell of parameters says so. **n** is in each table. **Controls** are ours.
# ```

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # whose predictions are explained
knowns: str = "knowns-mini"  # or knowns from $ATTRIBOOK_DATA
longra: str = "longra-mini"  # or longra
judge: str = "smollm2-135m"  # a known name, a folder, or a hub id
second: str = ""  # another judge, such as gemma-3-270m, on Knowns; empty for none
asking: str = "plain"  # how: plain, chat, or server ($OPENAI_BASE_URL)
n_items: int = 24  # of Knowns; 0 takes all kept prompts
second_items: int = 12  # of Knowns, before the second judge
longra_items: int = 8  # of LongRA; 0 leaves it out
keep: str = "correct"  # correct, or all; LongRA: also without the distractor
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.judged import JudgeStudy
from attribook.metrics.judges import question
from attribook.papers.cells import published
from attribook.papers.noiser.settings import FEWER, KNOWNS, LONGRA, TEN, judged
from attribook.show.figures import intervals
from attribook.show.tables import table
from attribook.show.words import in_words
from attribook.statistics.estimates import estimate
from attribook.statistics.tests import ABOVE, BELOW, decisions

long = (f"noiser{FEWER}", *(n for n in TEN if n not in ("noiser", "deeplift", "sequential_integrated_gradients")))
both = "correct_both" if keep == "correct" else keep
asked = [("Knowns", KNOWNS, knowns, TEN, judge, n_items, keep)]
asked += [("Knowns", KNOWNS, knowns, TEN, second, second_items, keep)] if second else []
asked += [("LongRA", LONGRA, longra, long, judge, longra_items, both)] if longra_items else []
studies = [
    (task, JudgeStudy(**judged(source, name), profile=profile, model=model, dataset=dataset, n_items=n, keep=kept,
                      methods=("random", *methods), seed=seed, asking=asking))
    for task, source, dataset, methods, name, n, kept in asked
]  # fmt: skip
answers = pd.concat([study.frame().assign(task=task, judge=study.judge) for task, study in studies], ignore_index=True)
answers["method"] = answers["method"].str.removesuffix(FEWER)
answers = answers.rename(columns={"variant": "words"})  # which words the judge sees: top, bottom, random, first, none
answers["counts"] = answers["metric"].str.endswith("_top5").map({False: "first answer", True: "five candidates"})
answers["measure"] = answers["metric"].str.extract("answerability_(rate|score)")

# %% tags=["answer", "remove-input"]
first = answers[answers["counts"] == "first answer"]
groups, words = ["task", "judge", "measure", "method", "words"], first["words"]
gained = estimate(first[(first["measure"] == "rate") & words.isin(["top", "random"])], "difference", groups,
                  against={"method": "random", "words": "random"}, family=["task", "judge"])  # fmt: skip
gained["won"] = decisions(gained)
best = estimate(first[words == "top"], "mean", groups).sort_values("value", ascending=False)
best = best.drop_duplicates(["task", "judge", "measure"]).set_index(["task", "judge", "measure"])
lines = []
for (task, name), found in gained.groupby(["task", "judge"], sort=False):
    rate, score = best.loc[(task, name, "rate")], best.loc[(task, name, "score")]
    more = ", ".join(f"`{method}`" for method in found.loc[found["won"] == ABOVE, "method"])
    lines.append(
        f"- **{task}, judge {name}**: the judge is shown to answer more prompts rightly from the words of "
        f"{(found['won'] == ABOVE).sum()} of {len(found)} methods{more and f' ({more})'} than from as many random "
        f"words, and fewer from those of {(found['won'] == BELOW).sum()}. `{rate['method']}` has the highest rate, in "
        f"percent {in_words(rate, 0, sign='')}, and `{score['method']}` the highest score, "
        f"{in_words(score, 3, sign='')}."
    )
Markdown("\n".join([*lines, "", *(f"{task}, judge {study.judge}: {study.n_kept()}\n" for task, study in studies)]))

# %% [markdown]
# ## What the judge can do without a method
#
# The judge sees no words at all, or as many random words of the prompt as a method may keep (three draws), or as many
# of its first words. The judge is small and not the paper's.

# %%
seen = {"none": "no words", "random": "random words", "first": "first words"}
controls = answers[(answers["method"] == "random") & (answers["measure"] == "rate")]
controls = estimate(controls, "mean", ["task", "judge", "counts", "words"]).replace({"words": seen})
table(controls, f"The judge without a method, prompts of {model}", digits=0, drop=["failed", "p", "detectable"],
      names={"words": "the judge sees", "counts": "right if among", "value": "rate (%)"})  # fmt: skip

# %% [markdown]
# ## Ten methods (Table 3)
#
# The rate is the percentage of prompts that the judge answers rightly from the more important half of the words, and
# `least important` the rate with as many of the least important ones. The score counts each right answer with the kept
# share of the attribution mass. The published averages are over the paper's six models and are printed for Knowns
# alone; our model and judge are small and none of the paper's.
#
# An interval of resampled prompts is too short where prompts are few, and has no length where all of them agree: read
# it with n.

# %%
keys = ["counts", "task", "judge", "method"]
means = estimate(answers[answers["words"].isin(["top", "bottom"])], "mean", ["measure", "words", *keys])
wide = means.set_index(["measure", "words", *keys])["value"].unstack(["measure", "words"])
also = pd.DataFrame({"score": wide["score", "top"], "least": wide["rate", "bottom"]})
rates = means[(means["measure"] == "rate") & (means["words"] == "top")].join(also, on=keys)

cells = published("noiser").query("table in [3, 6] and column == 'Average'").rename(columns={"dataset": "task"})
cells["counts"] = cells["table"].map({3: "first answer", 6: "five candidates"})
cells["measure"] = cells["metric"].str.extract("answerability_(rate|score)")
cells = cells.pivot(index=["counts", "task", "method"], columns="measure", values="value").add_prefix("published ")
rates = rates.join(cells, on=["counts", "task", "method"])


# %%
def show_rates(counts):
    for (task, name), part in rates[rates["counts"] == counts].groupby(["task", "judge"], sort=False):
        caption = f"Answerability by {counts}, {task} of {model}, judge {name}"
        display(table(part[list(HEADS)].sort_values("value", ascending=False), caption, digits=STYLE, names=HEADS))


HEADS = {"method": "method", "published rate": "published rate (%)", "value": "rate (%)", "low": "low",
         "high": "high", "published score": "published score", "score": "score", "least": "least important (%)",
         "n": "n (prompts)"}  # fmt: skip
STYLE = dict.fromkeys(("published rate", "value", "least"), "{:.0f}") | {"score": "{:.3f}", "published score": "{:.3f}"}
show_rates("first answer")

# %% [markdown]
# How many more prompts does the judge answer rightly than with as many random words of the same prompts? The difference
# is in percentage points; p is adjusted by max-T over the methods of one judge and task.

# %%
words = answers[answers["words"].isin(["top", "random"]) & (answers["measure"] == "rate")]
gains = estimate(words, "difference", [*keys, "words"], against={"method": "random", "words": "random"},
                 family=["counts", "task", "judge"])  # fmt: skip
gains["than random words"] = decisions(gains).map({ABOVE: "more", BELOW: "fewer"}).fillna("undecided")


# %%
label = "rate above that of random words (percentage points)"
for (task, name), part in gains[gains["counts"] == "first answer"].groupby(["task", "judge"], sort=False):
    drawn = part.rename(columns={"method": "name"}).dropna(subset="value").sort_values("value", ascending=False)
    display(intervals(drawn, label, f"{label} by method, {task} of {model}, judge {name}"))


# %%
def show_gains(counts):
    for (task, name), part in gains[gains["counts"] == counts].groupby(["task", "judge"], sort=False):
        caption = f"Rate above that of random words by {counts}, {task} of {model}, judge {name}"
        shown = part.sort_values("value", ascending=False)
        display(table(shown, caption, digits=0, names={"value": "difference (points)"}, drop=HIDDEN))


HIDDEN = ["counts", "task", "judge", "words", "failed", "p"]
show_gains("first answer")

# %% [markdown]
# ## Among five candidates (Table 6)
#
# The same, where an answer counts as right if it is among the judge's five most probable ones. Model and judge are as
# above.

# %%
show_rates("five candidates")
show_gains("five candidates")

# %% [markdown]
# ## What became of the published cells
#
# Every cell of both tables has its verdict in the [ledger](../../claims/ledger). A cell claims an order, of the
# best method before the others; on this many prompts few orders can be decided.
#
# ## Failures
#
# Prompts that gave no answer are left out of a rate and counted by their status.

# %%
counted = answers[(answers["measure"] == "rate") & (answers["counts"] == "first answer")]
counted = counted.groupby(["task", "judge", "words", "status"]).size().rename("answers").reset_index()
table(counted, f"Answers by the words that the judge sees and by status, prompts of {model}")

# %% [markdown]
# ## The judge's prompt
#
# From the one place in the code that has it, for the words *capital Japan*. A model asked in the way `plain` goes on
# with the last of the lines; one asked as a `chat`, and a server, get the question after it too.

# %%
Markdown(f"```text\n{question(['capital', 'Japan'])}\n```")
