# ---
# jupyter:
#   attribook:
#     finding: "**Knowns, the paper's own** | **Knowns**"
#     reads: [noiser_knowns]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Noiser · Tables 1 and 5: faithfulness of ten methods
#
# Claim: Noiser is the most faithful of ten methods on every task and model, by the sum of the log-ratios of Soft-NS
# and Soft-NC to random scores (Noiser, Table 1; its halves are Table 5). Reads `results/<profile>/noiser_knowns`, and
# for LongRA and WikiBio the rows that [ReAGent's part](../reagent/table_2_longra) has too, with Noiser's added. Cost:
# the table at the end; from stored rows, seconds. The rows on the paper's own Knowns are those of the profile
# `rows_of`, as far as it has any; they hold no text.
#
# ```{admonition} What differs from the paper
# :class: important
# **Models**: the paper has six of 0.5B to 9B parameters; here one of 135M, 4-bit weights brought back to float32, and
# one of 270M beside it. **Data**: our own prompts in the form of Knowns, LongRA and WikiBio, and the first of the
# paper's own Knowns, in the order of a hash. **Protocol**: Knowns as
# the paper writes it, with what its text leaves open set as [](../shared/protocols) lists; LongRA and WikiBio under
# our protocol, whose gradients are signed and whose attention is not softmaxed. There Noiser has three noise vectors,
# not ten, and only where `long_tasks` says so; sequential integrated gradients is missing: these prompts are long.
# **n** is at each table. A *value* cannot be reproduced here; what can be compared is on which side of
# random scores a method lies, and the order of the methods.
# ```
#
# The paper prints the same numbers for gemma-2-2b and gemma-2-9b in several rows; the ledger marks those cells.

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # a known name, a folder, or a hub id
knowns: str = "knowns-mini"  # or knowns from $ATTRIBOOK_DATA
longra: str = "longra-mini"  # or longra
wikibio: str = "wikibio-mini"  # or wikibio
n_items: int = 24  # of Knowns; 0 takes all kept prompts
longra_items: int = 24  # of LongRA
wikibio_items: int = 24  # of WikiBio
few_items: int = 12  # of WikiBio, for LIME and Noiser
noiser_items: int = 24  # of LongRA, for Noiser
long_tasks: str = "LongRA,WikiBio"  # where it is asked, with commas between them
second: str = ""  # another model, such as gemma-3-270m, on Knowns; empty for none
second_items: int = 12  # prompts of it
rows_of: str = "original"  # the profile whose rows on the paper's own Knowns stand beside; empty for none
keep: str = "correct"  # correct_both, correct, or all
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown, display

from attribook.grid.stored import stored_frames
from attribook.grid.study import Study
from attribook.papers.cells import published
from attribook.papers.noiser.settings import FEWER, KNOWNS, LONGRA, TEN, WIKIBIO
from attribook.show.figures import intervals
from attribook.show.tables import table
from attribook.show.words import in_words
from attribook.statistics.estimates import estimate
from attribook.statistics.tests import ABOVE, BELOW, UNDECIDED, decisions

cheap = tuple(name for name in TEN if name not in ("noiser", "lime", "sequential_integrated_gradients"))
few, random = (f"noiser{FEWER}",), ("random",)
first = KNOWNS | {"model": model, "dataset": knowns, "keep": keep}
again = KNOWNS | {"model": second, "dataset": knowns, "keep": keep}
facts = LONGRA | {"model": model, "dataset": longra, "keep": "all" if keep == "all" else "correct_both"}
lives = WIKIBIO | {"model": model, "dataset": wikibio}
asked = [  # for each part of a task: its study, methods, number of prompts, seeds of each method that draws
    ("Knowns", first, random, n_items, 5),
    ("Knowns", first, TEN, n_items, 1),
    ("LongRA", facts, random, longra_items, 5),
    ("LongRA", facts, (*cheap, "lime"), longra_items, 1),
    ("LongRA", facts, few if "LongRA" in long_tasks else (), noiser_items, 1),
    ("WikiBio", lives, random, wikibio_items, 5),
    ("WikiBio", lives, cheap, wikibio_items, 1),
    ("WikiBio", lives, ("lime",), few_items, 1),
    ("WikiBio", lives, few if "WikiBio" in long_tasks else (), few_items, 1),
    ("Knowns", again, random if second else (), second_items, 5),
    ("Knowns", again, ("noiser", *cheap) if second else (), second_items, 1),
]
studies = [
    (task, Study(**study, profile=profile, methods=methods, n_items=n, random_seeds=seeds, seed=seed))
    for task, study, methods, n, seeds in asked
    if methods
]
rows = pd.concat([study.frame().assign(task=task) for task, study in studies], ignore_index=True)
own = stored_frames(rows_of, KNOWNS["name"]) if rows_of not in ("", profile) else rows.head(0)
own = own[(own["model"] == model) & (own["protocol"] == KNOWNS["protocol"]) & (own["variant"] == "")]
own = own[own["method"].isin(("random", *TEN))].assign(task="Knowns, the paper's own")
rows = pd.concat([rows, own], ignore_index=True)
rows["method"] = rows["method"].str.removesuffix(FEWER)

# %% tags=["answer", "remove-input"]
groups, explained = ["task", "model", "method"], rows[rows["method"] != "random"]
ours = estimate(rows, "log_ratio", groups, against={"method": "random"}, sum_over="metric")
lead = estimate(explained, "log_ratio", groups, of={"method": "noiser"}, sum_over="metric",
                family=["task", "model"])  # fmt: skip
lead["won"] = decisions(lead)
lines, first_of = [], 0
for found in ours[ours["method"] == "noiser"].to_dict("records"):
    others = lead[(lead["task"] == found["task"]) & (lead["model"] == found["model"])]
    named = {side: ", ".join(f"`{name}`" for name in group["method"]) for side, group in others.groupby("won")}
    ahead, behind = (others["won"] == ABOVE).sum(), (others["won"] == BELOW).sum()
    lines.append(
        f"- **{found['task']}**, {found['model']}: {in_words(found)}. Noiser is shown to be more faithful than {ahead} "
        f"of {len(others)} other methods and less faithful than {behind}; not decided: {named.get(UNDECIDED, 'none')}."
    )
    first_of += ahead == len(others)
kept = {f"{task}: {study.n_kept()}": None for task, study in studies if study.methods == random}
Markdown(
    f"Noiser is shown to be more faithful than all other methods in {first_of} of {len(lines)} samples of prompts. Its "
    "faithfulness, in nats above that of random scores, with its 95% interval and the number of prompts:\n\n"
    + "\n".join(lines) + "\n\n" + "\n\n".join(kept)
)  # fmt: skip

# %% [markdown]
# ## How the tables are made
#
# Faithfulness is the log-ratio of Soft-NC to that of random scores, plus the same of Soft-NS, with a 95% interval of a
# bootstrap over prompts. `against random` says on which side of random scores it is shown to lie. `published average`
# is the mean over the paper's six models. The models here are small and none of these six.

# %%
by, random_scores = ["task", "model", "method"], {"method": "random"}
faithfulness = estimate(rows, "log_ratio", by, against=random_scores, sum_over="metric")
halves = estimate(rows, "log_ratio", [*by, "metric"], against=random_scores)
halves = halves.set_index([*by, "metric"])["value"].unstack()
halves = halves.rename(columns={"soft_nc": "Soft-NC", "soft_ns": "Soft-NS"})
table1 = faithfulness.join(halves, on=by).assign(**{"against random": decisions(faithfulness)})
table1 = table1.sort_values("value", ascending=False)

cells = published("noiser").query("table == 1 and column == 'Average'").rename(columns={"dataset": "task"})
view = {"beside": cells, "on": ["task", "method"], "drop": ["task", "model", "failed", "p", "detectable"],
        "names": {"published": "published average", "value": "faithfulness (nats)"}}  # fmt: skip

# %% [markdown]
# The second table of each task has the faithfulness of Noiser minus that of each other method, over the prompts that
# both have. p is adjusted by max-T over the comparisons of one task and model. Where Noiser has no rows, nothing is
# compared.

# %%
versus = estimate(rows[rows["method"] != "random"], "log_ratio", by, of={"method": "noiser"}, sum_over="metric",
                  family=["task", "model"]).sort_values("value")  # fmt: skip
versus["noiser is"] = decisions(versus).map({ABOVE: "ahead", BELOW: "behind"}).fillna("undecided")
compared = {
    "drop": ["task", "model", "failed", "p"],
    "names": {"method": "Noiser against", "value": "difference (nats)"},
}

# %% [markdown]
# ## Knowns
#
# The diamonds are the published averages.

# %%
shown = table1.query("task == 'Knowns' and model == @model").dropna(subset="value")
shown = shown.merge(cells[["task", "method", "value"]].rename(columns={"value": "published"}), how="left")
label = "faithfulness against random scores (nats)"
intervals(shown.rename(columns={"method": "name"}), label, f"{label} by method, {model}, {knowns}")

# %%
table(table1.query("task == 'Knowns' and model == @model"), f"Faithfulness on Knowns, {model}, {knowns}", **view)

# %%
shown = versus.query("task == 'Knowns' and model == @model")
table(shown, f"Faithfulness of Noiser minus that of others on Knowns, {model}, {knowns}", **compared)

# %% [markdown]
# ## The paper's own Knowns
#
# The same on prompts of the paper's own set, from stored rows. The published averages are over the paper's six models.

# %%
shown = table1[table1["task"] == "Knowns, the paper's own"]
beside = view | {"beside": cells[cells["task"] == "Knowns"].assign(task="Knowns, the paper's own")}
display(table(shown, f"Faithfulness on the paper's own Knowns, {model}", **beside))
shown = versus[versus["task"] == "Knowns, the paper's own"]
display(table(shown, f"Faithfulness of Noiser minus that of others on the paper's own Knowns, {model}", **compared))

# %% [markdown]
# ## LongRA
#
# Noiser has three noise vectors here, and the paper's ten stand behind its published average.

# %%
table(table1.query("task == 'LongRA'"), f"Faithfulness on LongRA, {model}, {longra}", **view)

# %%
shown = versus.query("task == 'LongRA'")
table(shown, f"Faithfulness of Noiser minus that of others on LongRA, {model}, {longra}", **compared)

# %% [markdown]
# ## WikiBio
#
# The model goes on with ten tokens, greedily. The sixth of them is explained, given all before it. Noiser has three
# noise vectors here too.

# %%
table(table1.query("task == 'WikiBio'"), f"Faithfulness on WikiBio, {model}, {wikibio}", **view)

# %%
shown = versus.query("task == 'WikiBio'")
table(shown, f"Faithfulness of Noiser minus that of others on WikiBio, {model}, {wikibio}", **compared)

# %% [markdown]
# ## A second model
#
# Knowns again, over the prompts that the second model answers, by eight of the methods. It is named in the parameters,
# as small as the first model, and none of the paper's.

# %%
if second:
    shown = table1.query("task == 'Knowns' and model == @second")
    display(table(shown, f"Faithfulness on Knowns, {second}, {knowns}", **view))

# %% [markdown]
# ## What it cost
#
# Forwards and backwards of the model, and seconds on the machine that computed the rows.

# %%
asked_here = [study for task, study in studies if task == "Knowns" and study.model == model]
scores = pd.DataFrame([row for study in asked_here for row in study.scores()])
cost = scores.groupby("method", sort=False)[["forwards", "backwards", "seconds"]].mean()
table(cost, f"Mean cost of the scores of a prompt, {model}, {knowns}", digits=1)
