# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Tables 3 and 6: can a judge answer from the important words?
#
# Noiser's *answerability*: a judge sees the more important half of a prompt's words, in their order, and says the
# next word. The rate is how often that is the explained model's own prediction; the score counts each such answer
# with the kept share of the attribution mass; Table 6 also accepts the judge's five most probable answers. Claims:
# Noiser has the highest score, occlusion the highest rate. A judge may know the answer without the words, or from any
# of them, so this page asks for controls first. Reads `results/<profile>/noiser_knowns_judged_*` and
# `reagent_longra_judged_*`. Cost: from stored rows, seconds.
#
# ```{admonition} What differs from the paper
# :class: important
# **Judge**: models of 135M and 270M parameters that continue a line, not Llama-3.3-70B-Instruct; a small judge
# fails where a large one would not. **The judge's prompt** of the paper's appendix is lost; ours is printed below.
# **Model**: 135M parameters, 4-bit weights brought back to float32, not the paper's six. **Data**: our own prompts in
# the form of Knowns; another judge, and LongRA, of which the paper has no table, where the cell of parameters says so.
# **n** is in each table. **Controls** are ours.
# ```

# %% tags=["parameters"]
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

# %% tags=["remove-input"]
from IPython.display import Markdown, display

from attribook.papers.noiser.answers import (
    answer_table,
    control_table,
    failure_table,
    gains_told,
    judge_study,
    prompt_shown,
)
from attribook.papers.noiser.show_judge import answer_listing, control_listing, gain_figure
from attribook.papers.noiser.tables import TEN
from attribook.show.tables import table

dear = ("noiser", "deeplift", "sequential_integrated_gradients")
few = ("noiser{vectors=3}", *(name for name in TEN if name not in dear))
wanted = {f"Knowns, judge {judge}": ("Knowns", knowns, TEN, judge, n_items, keep)}
if second:
    wanted[f"Knowns, judge {second}"] = ("Knowns", knowns, TEN, second, second_items, keep)
if longra_items:
    wanted[f"LongRA, judge {judge}"] = ("LongRA", longra, few, judge, longra_items,
                                        "correct_both" if keep == "correct" else keep)  # fmt: skip
studies = {
    where: judge_study(task, profile, model, dataset, ("random", *methods), asked, n_items=n, keep=kept, seed=seed,
                       asking=asking) for where, (task, dataset, methods, asked, n, kept) in wanted.items()
}  # fmt: skip
rows = {where: each.rows() for where, each in studies.items()}
found = {where: answer_table(frame, task=wanted[where][0]) for where, frame in rows.items()}
Markdown("\n".join(f"- {where}: {each.n_kept()}" for where, each in studies.items()))

# %% [markdown]
# ## What the judge can do without a method
#
# No words at all; as many random words as a method may keep (three draws); as many of the prompt's first words.

# %% tags=["remove-input"]
for where, frame in rows.items():
    display(control_listing(control_table(frame), where))

# %% [markdown]
# ## Ten methods (Table 3)
#
# `gain`: the rate above that of random words on the same prompts, in percentage points. `bottom`: the rate with as many
# of the *least* important words. `published`: the mean over the paper's six models.
#
# An interval of resampled prompts is too short where prompts are few, and has no length where all of them agree: read
# it with n.

# %% tags=["remove-input"]
for where, frame in found.items():
    display(Markdown(f"**{where}**: {gains_told(frame)}"))
    display(gain_figure(frame, where), answer_listing(frame, where))

# %% [markdown]
# ## Among five candidates (Table 6)

# %% tags=["remove-input"]
for where, frame in rows.items():
    five = answer_table(frame, top5=True, task=wanted[where][0])
    display(Markdown(f"**{where}**: {gains_told(five)}"), answer_listing(five, f"{where}, five candidates"))

# %% [markdown]
# ## What became of the published cells
#
# Every cell of both tables has its verdict in the [ledger](../../claims/ledger). A cell claims an order, of the
# best method before the others; on this many prompts few orders can be told.
#
# ## Failures
#
# Prompts that gave no answer are left out of a rate and counted by their status.

# %% tags=["remove-input"]
for where, frame in rows.items():
    display(table(failure_table(frame), caption=f"Answers by selection and status, {where}"))

# %% [markdown]
# ## The judge's prompt
#
# From the one place in the code that has it, for the words *capital Japan*. A model asked in the way `plain` goes on
# with the last of the lines; one asked as a `chat`, and a server, get the question after it too.

# %% tags=["remove-input"]
Markdown(prompt_shown(["capital", "Japan"]))
