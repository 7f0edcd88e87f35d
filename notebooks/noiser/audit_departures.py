# ---
# jupyter:
#   attribook:
#     finding: "**Knowns**"
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Noiser · Audit: Noiser, the paper or the code?
#
# Noiser's code was released without a licence and departs from its text. Here each departure is switched alone, from
# the paper's reading, and then all at once, as protocol `noiser-code` has them. The question is how far the number
# moves that the paper prints, the sum of the log-ratios of Soft-NC and Soft-NS to random scores, and whether what moves
# it is the ranking: `permuted` gives Noiser's own scores to the tokens in random order. Reads
# `results/<profile>/noiser_knowns`, and `reagent_longra` if `longra_items` is above 0. Cost: from stored rows, seconds.
#
# ```{admonition} What is left out
# :class: important
# **BOS** is noised and masked in the released code; a model whose prompts have none, such as SmolLM2, shows nothing
# of that. **LongRA** is asked only where `longra_items` says so, and with three vectors. **Model and prompts** are
# small and ours, not the paper's. **Judge**: how the code counts words and answers is an option of no study yet.
# ```

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
knowns: str = "knowns-mini"  # or knowns from $ATTRIBOOK_DATA
longra: str = "longra-mini"  # or longra
n_items: int = 30  # of Knowns; 0 takes all kept prompts
longra_items: int = 0  # of LongRA; 0 leaves it out
keep: str = "correct"  # correct, or all
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.grid.study import Study
from attribook.show.figures import intervals
from attribook.show.tables import table
from attribook.show.words import in_words
from attribook.statistics.estimates import estimate
from attribook.statistics.squared_distance import as_released
from attribook.statistics.tests import UNDECIDED, decisions

PAPER, SUM, CODE, TEN, THREE = (
    "noiser-paper", "noiser-paper+scores_as=sum", "noiser-code", "noiser", "noiser{vectors=3}",
)  # fmt: skip
departures = {  # task, departure: protocol, Noiser's setting, whether rows are read under the squared distance
    ("Knowns", "the paper"): (PAPER, TEN, False),
    ("Knowns", "fixed vectors"): (PAPER, "noiser{fixed=True}", False),
    ("Knowns", "noise divided by its 2-norm"): (PAPER, "noiser{divisor=norm_2}", False),
    ("Knowns", "last midpoint"): (PAPER, "noiser{threshold=last}", False),
    ("Knowns", "squared distance"): (PAPER, TEN, True),
    ("Knowns", "divided by the sum"): (SUM, TEN, False),
    ("Knowns", "sum and squared"): (SUM, TEN, True),
    ("Knowns", "all as released"): (CODE, TEN, False),
}
if longra_items:
    departures |= {("LongRA", "the paper"): (PAPER, THREE, False), ("LongRA", "squared distance"): (PAPER, THREE, True),
                   ("LongRA", "all as released"): (CODE, THREE, False)}  # fmt: skip
given = {"profile": profile, "model": model, "seed": seed, "metrics": ("soft_nc", "soft_ns")}
tasks = {"Knowns": {"name": "noiser_knowns", "dataset": knowns, "keep": keep, "n_items": n_items},
         "LongRA": {"name": "reagent_longra", "dataset": longra, "n_items": longra_items,
                    "keep": "all" if keep == "all" else "correct_both"}}  # fmt: skip
frames, scores = [], []
for (task, departure), (protocol, setting, squared) in departures.items():
    random, noised = (
        Study(**given, **tasks[task], protocol=protocol, methods=methods, random_seeds=seeds)
        for methods, seeds in ((("random",), 5), ((setting, f"{setting}:permuted"), 1))
    )
    rows = pd.concat([random.frame(), noised.frame()]).replace({"method": {setting: "noiser"}})
    frames.append((as_released(rows) if squared else rows).assign(task=task, departure=departure))
    if not squared and protocol != SUM:  # these two change what is done with scores, not the scores
        scores += [(task, departure, pd.Series(row["scores"])) for row in noised.scores()]
rows, where = pd.concat(frames, ignore_index=True), f"{model}, {knowns}{f' and {longra}' if longra_items else ''}"
by, random_scores = ["task", "departure", "variant", "method"], {"method": "random", "variant": ""}
paper = {"departure": "the paper"}

# %% tags=["answer", "remove-input"]
printed = estimate(rows, "log_ratio", by, against=random_scores, sum_over="metric").set_index(by)["value"]
moves = estimate(rows, "log_ratio", by, against=[random_scores, paper], sum_over="metric", family=["task"])
moved = moves[(moves["variant"] == "") & (decisions(moves) != UNDECIDED)]
order = estimate(rows[rows["method"] == "noiser"], "log_ratio", by, against={"variant": "permuted"}, sum_over="metric")
lines = []
for task in rows["task"].unique():
    own, whole = (
        order.query("task == @task and departure == @name").iloc[0] for name in ("the paper", "all as released")
    )
    numbers = [f"{printed[task, name, variant, 'noiser']:+.2f}" for name in ("the paper", "all as released")
               for variant in ("", "permuted")]  # fmt: skip
    named = "; ".join(
        f"*{row['departure']}* by {in_words(row)}" for row in moved[moved["task"] == task].to_dict("records")
    )
    barred = ", ".join(filter(None, moves.loc[moves["task"] == task, "no verdict"].unique()))
    lines.append(
        f"- **{task}**: as the paper reads, Noiser's faithfulness is {numbers[0]} and that of its own scores in random "
        f"order {numbers[1]}: its order is worth {in_words(own)}. As released the two are {numbers[2]} and "
        f"{numbers[3]}, and its order is worth {in_words(whole)}. Departures that are shown to move it: "
        f"{named or 'none'}{f' ({barred})' if barred and not named else ''}."
    )
Markdown("\n".join(["Sums of the log-ratios of Soft-NC and Soft-NS to random scores, in nats.", "", *lines]))

# %% [markdown]
# ## How far each departure moves the printed number
#
# *faithfulness* is the number as the paper would print it, *permuted* the same of Noiser's own scores in random order,
# and *change* how far the departure moves the first from the paper's reading, over the same prompts. p is adjusted over
# all departures of a task and their permuted scores.

# %%
faithfulness = estimate(rows, "log_ratio", by, against=random_scores, sum_over="metric")
wide = faithfulness.pivot(index=["task", "departure"], columns="variant", values="value")
wide = wide.rename(columns={"": "faithfulness"}).reset_index()
change = estimate(rows, "log_ratio", by, against=[random_scores, paper], sum_over="metric", family=["task"])
change = change[change["variant"] == ""].drop(columns=["variant", "method"])
table(wide.merge(change, on=["task", "departure"], how="left"), f"Noiser's faithfulness by departure, {where}",
      drop=["failed", "p", "detectable", "detectable (max-T)"], names={"value": "change"})  # fmt: skip

# %% [markdown]
# ## What the order of the scores is worth
#
# Noiser's scores against the same scores in random order. Both are equally sharp, so this is what its ranking adds.

# %%
own = estimate(rows[rows["method"] == "noiser"], "log_ratio", by, against={"variant": "permuted"}, sum_over="metric")
intervals(own[own["task"] == "Knowns"].rename(columns={"departure": "name"}), "own order (nats)",
          f"What the order of Noiser's scores is worth by departure, {model}, {knowns}")  # fmt: skip

# %%
table(own, f"What the order of Noiser's scores is worth, {where}", drop=["variant", "method", "failed", "p"],
      names={"value": "own order (nats)"})  # fmt: skip

# %% [markdown]
# ## What division by the sum does to scores
#
# Where scores of both signs nearly cancel, dividing by their sum makes them large, and where the sum is below 0 it
# turns all signs. Soft metrics then keep or remove whole tokens, for q above 1 acts as 1.

# %%
told = [(task, departure, (one / one.sum()).max() > 1, one.sum() < 0, (one < 0).mean(), 1)
        for task, departure, one in scores]  # fmt: skip
told = pd.DataFrame(told, columns=["task", "departure", "a share above 1", "sum below 0", "negative scores", "n"])
told = told.groupby(["task", "departure"], sort=False).agg(
    {"a share above 1": "sum", "sum below 0": "sum", "negative scores": "mean", "n": "sum"}
)
table(told.reset_index(), f"Prompts whose scores exceed 1 or change sign when divided by their sum, {where}",
      digits={"negative scores": "{:.0%}"})  # fmt: skip
