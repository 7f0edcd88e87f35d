# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Table 4: ReAGent and LIME, marked in running text
#
# ReAGent's Table 4 prints a WikiBio and a TellMeWhy prompt twice, with the importance given by ReAGent and by LIME.
# Claim: none that can be counted; the reader is shown two texts and sees that the methods differ. This page shows the
# same for prompts of three sets, beside occlusion and random scores, and then counts: how many top tokens two methods
# share, and how many of them lie in the words that hold the answer.
#
# Reads and, where rows are missing, computes scores under the protocol `attribook`: our default options of each method.
# Cost: from stored rows, the first section alone, under a minute.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: the paper shows GPT2-1.5B; this page has one of 135M with 4-bit weights brought back to float32. **Data**:
# the first prompt is the paper's, the others are ours. **Target**: the first next token of the paper's prompt and of
# LongRA-style ones; after stories and openings the model goes on greedily, and what is explained is a token of that,
# with respect to all before it, as in the paper. **Marks**: the paper's caption speaks of an importance distribution;
# here the best-scored share of the tokens is marked. **Left out**: the paper's TellMeWhy prompt.
# ```

# %% tags=["parameters"]
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

# %% tags=["remove-input"]
from IPython.display import Markdown, display

from attribook.grid.live import explain_live
from attribook.papers.reagent.top import (
    antecedent_table,
    cost_of_scores,
    marked_example,
    marked_live,
    overlap_table,
    score_studies,
    targets_table,
    top_sets,
)
from attribook.show.marked import marked_texts
from attribook.show.tables import table

methods = ("reagent", "lime", "occlusion", "random")
given = {"n_items": n_items, "keep": keep, "seed": seed, "random_seeds": 1}
studies = score_studies(datasets, profile, model, methods, start=start, **given)
again = score_studies(datasets, profile, model, ("random",), start=start, **given | {"random_seeds": seeds})
rows = {
    dataset: study.scores() + [row for row in again[dataset].scores() if row["seed"] != seed]
    for dataset, study in studies.items()
}
Markdown(" ".join(study.n_kept() for study in studies.values()) + f" Random scores have {seeds} seeds, ReAGent one.")

# %% [markdown]
# ## The paper's prompt
#
# Marked are the best-scored tokens. The marks say nothing about how far apart the scores are: random scores have
# a top too.

# %% tags=["remove-input"]
live = explain_live(model, paper_prompt, methods, seed=seed)
display(Markdown(
    f"`{model}` goes on with **{live.encoding.target_text.strip()}** (p = {live.encoding.probability:.2f}). "
    f"Marked: the best {share:.0%} of {len(live.encoding)} tokens."
))  # fmt: skip
marked_texts(marked_live(live, share))

# %% [markdown]
# ## Prompts of each set
#
# The first row marks the antecedent, the words that hold the answer, in the sets that know it. The antecedent of a
# TellMeWhy-style prompt is the reason that its question asks for. What is explained is one token of what the model
# writes, which need not be a word of the answer: where it is none, no method can be blamed for missing the reason.

# %% tags=["remove-input"]
table(targets_table(rows), caption=f"What {model} goes on with, and so what is explained")

# %% [markdown]
# Some of the prompts, each with the top sets of the methods' first seed:

# %% tags=["remove-input"]
for dataset, study in studies.items():
    for item in study.items[:shown]:
        first = next(row for row in rows[dataset] if row["item"] == item.id)
        said = f"{first['target'].strip() or 'a line break or space'}** (p = {first['probability']:.2f})"
        display(Markdown(f"{dataset}, item `{item.id}`: the model goes on with **{said}."))
        display(marked_texts(marked_example(rows[dataset], item.id, share)))

# %% [markdown]
# ## How much do two top sets overlap?
#
# The Jaccard index of two methods' top sets: tokens in both over tokens in either; 1 is the same set. Two things to
# compare it with: *itself with another seed* is how far random scores agree with themselves, and the rows with `random`
# are what chance gives.

# %% tags=["remove-input"]
overlaps = {dataset: overlap_table(top_sets(found, share), seed=seed) for dataset, found in rows.items()}
for dataset, frame in overlaps.items():
    caption = f"{dataset}: mean Jaccard index of the top {share:.0%}, with 95% bootstrap intervals over prompts"
    display(table(frame, caption=caption, formats=dict.fromkeys(("jaccard", "low", "high"), "{:.2f}")))

# %% tags=["remove-input"]
lines = []
pairs = {"LIME": "lime", "random scores": "random", "itself with another seed": "itself with another seed"}
for dataset, frame in overlaps.items():
    found = frame.set_index("methods")["jaccard"]
    said = [f"{name} {found[f'reagent, {key}']:.2f}" for name, key in pairs.items() if f"reagent, {key}" in found]
    lines.append(f"- **{dataset}**, mean overlap of ReAGent's top set with that of {', '.join(said)}.")
Markdown("\n".join(lines))

# %% [markdown]
# ## How often is the antecedent hit?
#
# `hit` is the share of prompts in which at least one token of the antecedent is in the top set, `covered` the mean
# share of the antecedent's tokens in it. A long antecedent is hit by almost anything: read both against the row
# `random`, and `covered` where the antecedent is long.

# %% tags=["remove-input"]
for dataset, found in rows.items():
    if any(row["spans"].get("antecedent") for row in found):
        frame = antecedent_table(found, share, seed=seed)
        formats = {name: "{:.2f}" for name in frame.columns if name not in ("method", "n")}
        display(table(frame, caption=f"{dataset}: antecedent in the top {share:.0%} of the tokens", formats=formats))

# %% [markdown]
# ## What it cost
#
# A score vector of ReAGent is the average of several runs; a run whose stopping test was never met counts all the same.

# %% tags=["remove-input"]
for dataset, found in rows.items():
    display(table(cost_of_scores(found), caption=f"{dataset}: forwards and seconds a score vector",
                  formats={"forwards": "{:.0f}", "seconds": "{:.1f}", "runs that stopped": "{:.0%}"}))  # fmt: skip
