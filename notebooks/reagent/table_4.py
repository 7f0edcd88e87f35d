# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # ReAGent · Table 4: ReAGent and LIME, marked in running text
#
# ReAGent's Table 4 prints a WikiBio and a TellMeWhy prompt twice, with the importance given by ReAGent and by LIME.
# Claim: none that can be counted; the reader is shown two texts and sees that the methods differ. This page shows the
# same for prompts of three sets, beside occlusion and random scores, and then counts: how many top tokens two methods
# share, and how many of them lie in the words that hold the answer.
#
# Reads and, where rows are missing, computes scores under the protocol `attribook`: our default options of each method.
# Cost: from stored rows, the section on the paper's prompt alone, under a minute.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: the paper shows GPT2-1.5B; this page has one of 135M with 4-bit weights brought back to float32. **Data**:
# the first prompt is the paper's, the others are ours. **Target**: the first next token of the paper's prompt and of
# LongRA-style ones; after stories and openings the model goes on greedily, and what is explained is a token of that,
# with respect to all before it, as in the paper. **Marks**: the paper's caption speaks of an importance distribution;
# here the best-scored share of the tokens is marked. **Left out**: the paper's TellMeWhy prompt.
# ```

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
paper_prompt: str = "Super Mario Land is a side scrolling platform video game developed by"  # Table 4, first row
datasets: str = "tellmewhy-mini, wikibio-mini, longra-mini"  # names with commas between them
n_items: int = 12  # of each set; 0 takes all kept prompts
shown: int = 2  # how many prompts of each set are printed
share: float = 0.3  # of a prompt's tokens that counts as its top: ReAGent's stopping test keeps as many
keep: str = "correct_both"  # which prompts with a gold word: correct_both, correct, or all; open prompts all count
start: int = 5  # of the words that follow an open prompt, as many tokens are passed over
seeds: int = 2  # how often each random method is run
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.data.datasets import load_dataset
from attribook.grid.live import explain_live
from attribook.grid.study import Study
from attribook.show.literal import in_markdown
from attribook.show.marked import marked_texts
from attribook.show.tables import table
from attribook.show.tokens import label
from attribook.show.words import in_words
from attribook.statistics.estimates import estimate
from attribook.statistics.top_sets import jaccard, top_set, top_sets

methods, studies, found = ("reagent", "lime", "occlusion", "random"), {}, []
for name in datasets.replace(",", " ").split():
    open_ended = load_dataset(name)[0].gold is None  # every item is kept, and what follows it is explained
    how = {"keep": "all", "continuation": 2 * start, "start": start, "stride": start} if open_ended else {"keep": keep}
    given = (f"reagent_{name.split('-')[0]}", profile, model, name, "attribook")
    asked = {"n_items": n_items, "seed": seed, **how}
    studies[name] = Study(*given, methods, **asked, random_seeds=1)
    again = Study(*given, ("random",), **asked, random_seeds=seeds)
    scores = studies[name].scores() + [row for row in again.scores() if row["seed"] != seed]
    found.append(pd.DataFrame(scores).assign(dataset=name))
rows = pd.concat(found, ignore_index=True)
tops = pd.concat(
    [
        top_sets(part.to_dict("records"), share).assign(dataset=name)
        for name, part in rows.groupby("dataset", sort=False)
    ]
)

# %% tags=["answer", "remove-input"]
pairs = tops.merge(tops, on=["dataset", "item"], suffixes=("", " other"))
pairs = pairs[(pairs["method"] == "reagent") & (pairs["method other"] != "reagent")]
pairs["value"] = [jaccard(a, b) for a, b in zip(pairs["top"], pairs["top other"], strict=True)]
overlaps = estimate(pairs[["dataset", "item", "method other", "value"]], "mean", ["dataset", "method other"])
told = overlaps.assign(said=[in_words(row, sign="") for row in overlaps.to_dict("records")])
told = told.set_index(["dataset", "method other"])["said"]
lines = [
    f"- **{name}**: the Jaccard index of ReAGent's top set and LIME's is {told[name, 'lime']}, of ReAGent's and that "
    f"of random scores {told[name, 'random']}."
    for name in studies
]
kept = " ".join(study.n_kept() for study in studies.values())
Markdown("\n".join([*lines, "", f"{kept} Random scores have {seeds} seeds, ReAGent one; a top set has {share:.0%}."]))

# %% [markdown]
# ## The paper's prompt
#
# Marked are the best-scored tokens. The marks say nothing about how far apart the scores are: random scores have
# a top too.

# %%
live = explain_live(model, paper_prompt, methods, seed=seed)
Markdown(
    f"`{model}` goes on with **{in_markdown(label(live.encoding.target_text))}** "
    f"(p = {live.encoding.probability:.2f}). Marked: the best {share:.0%} of {len(live.encoding)} tokens."
)

# %%
places, own = live.encoding.attributable.nonzero()[:, 0].tolist(), live.attributions.items()
marked_texts({name: (live.encoding.tokens, top_set(one.scores.tolist(), places, share)) for name, one in own})

# %% [markdown]
# ## Prompts of each set
#
# The first row marks the antecedent, the words that hold the answer, in the sets that know it. The antecedent of a
# TellMeWhy-style prompt is the reason that its question asks for. What is explained is one token of what the model
# writes, which need not be a word of the answer: where it is none, no method can be blamed for missing the reason.
# `no word` counts targets without a letter or digit, and special tokens.

# %%
targets = rows.drop_duplicates(["dataset", "item"])[["dataset", "target"]]
wordless = ~targets["target"].str.contains(r"[^\W_]") | targets["target"].str.startswith("<|")
targets["target"] = [label(text) for text in targets["target"]]
counts = targets.groupby("dataset", sort=False)["target"].value_counts().reset_index()
counts["text"] = counts["target"] + " (" + counts["count"].astype(str) + ")"
listed = counts.groupby("dataset", sort=False)["text"].agg(lambda texts: ", ".join(texts[:4])).rename("most frequent")
numbers = targets.assign(wordless=wordless).groupby("dataset")["wordless"].agg(["count", "sum"])
names = {"count": "n (prompts)", "sum": "no word"}
table(listed.to_frame().join(numbers), f"What {model} goes on with, and so what is explained", names=names)

# %% [markdown]
# Some of the prompts, each with the top sets of the methods' first seed:

# %%
for name, study in studies.items():
    for item in study.items[:shown]:
        mine = tops[(tops["dataset"] == name) & (tops["item"] == item.id) & (tops["seed"] == seed)]
        first = rows[(rows["dataset"] == name) & (rows["item"] == item.id)].iloc[0]
        answer = {"antecedent": first["spans"]["antecedent"]} if first["spans"].get("antecedent") else {}
        said = f"{in_markdown(label(first['target']))}** (p = {first['probability']:.2f})"
        display(Markdown(f"{name}, item `{item.id}`: the model goes on with **{said}."))
        marks = answer | dict(zip(mine["method"], mine["top"], strict=True))
        display(marked_texts({method: (first["tokens"], places) for method, places in marks.items()}))

# %% [markdown]
# ## How much do two top sets overlap?
#
# The Jaccard index of two methods' top sets: tokens in both over tokens in either; 1 is the same set. Two kinds of rows
# are there to compare it with. A random method with itself under another seed says how far it agrees with itself, and
# the other rows with `random` are what chance gives.

# %%
pairs = tops.merge(tops, on=["dataset", "item"], suffixes=("", " other"))
order = {method: place for place, method in enumerate(methods)}
before, after = pairs["method"].map(order), pairs["method other"].map(order)
pairs = pairs[(before < after) | (before == after) & (pairs["seed"] < pairs["seed other"])]  # every pair once
pairs["value"] = [jaccard(a, b) for a, b in zip(pairs["top"], pairs["top other"], strict=True)]
overlaps = estimate(pairs, "mean", ["dataset", "method", "method other"])
same = overlaps["method"] == overlaps["method other"]
overlaps["method other"] = overlaps["method other"].mask(same, "itself with another seed")
names, drop = {"method other": "other", "value": "Jaccard index"}, ["failed", "p", "detectable"]
table(overlaps, f"Mean Jaccard index of the top {share:.0%}, over prompts, {model}", names=names, drop=drop)

# %% [markdown]
# ## How often is the antecedent hit?
#
# `hit` is the share of prompts in which at least one token of the antecedent is in the top set, `covered` the mean
# share of the antecedent's tokens in it. A long antecedent is hit by almost anything: read both against the rows of
# `random`, and `covered` where the antecedent is long.

# %%
known = tops[[bool(spans.get("antecedent")) for spans in tops["spans"]]]
held = [len(top & set(spans["antecedent"])) for top, spans in zip(known["top"], known["spans"], strict=True)]
covered = [many / len(spans["antecedent"]) for many, spans in zip(held, known["spans"], strict=True)]
both = known[["dataset", "item", "method", "seed"]]
hits = pd.concat([both.assign(metric="hit", value=[float(many > 0) for many in held]),
                  both.assign(metric="covered", value=covered)])  # fmt: skip
found = estimate(hits, "mean", ["dataset", "metric", "method"]).sort_values("dataset", kind="stable")
caption = f"Antecedent in the top {share:.0%} of the tokens, means over prompts, {model}"
table(found, caption, drop=["failed", "p", "detectable"], names={"value": "share"})

# %% [markdown]
# ## What it cost
#
# A score vector of ReAGent is the average of several runs; a run whose stopping test was never met counts all the same.

# %%
runs = rows["options"].map(lambda options: options.get("runs"))
stopped = rows["details"].map(lambda details: details.get("runs_stopped")) / runs
costs = (
    rows.assign(stopped=stopped).groupby(["dataset", "method"], sort=False)[["forwards", "seconds", "stopped"]].mean()
)
formats = {"forwards": "{:.0f}", "seconds": "{:.1f}", "stopped": "{:.0%}"}
caption = f"Forwards and seconds for one score vector, means over prompts, {model}"
table(costs, caption, digits=formats, names={"stopped": "runs that stopped"})
