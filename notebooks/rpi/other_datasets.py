# ---
# jupyter:
#   attribook:
#     reads: [ledger, rpi_pools, rpi_table2, rpi_table4]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # RPI · Tables 2 and 4 on the other data sets
#
# The pages on [Table 2](table_2) and [Table 4](table_4) ask on film reviews whether RPI's best of R maps is ahead of
# other methods' single maps, and of the best of R random rankings. Here the same is asked on the paper's three other
# data sets, SST-2, AG News and Emotion: of encoders as in Table 2, with R = 24, and of a prompted causal model as in
# Table 4, with R = 8.
#
# Their texts are not part of this project, and the encoders are tuned on them where they are used: rows are read from
# `results/original/rpi_table2`, `rpi_table4` and `rpi_pools`, which hold no text; that takes seconds. To compute them,
# put the texts into `$ATTRIBOOK_DATA`, tune each encoder (`attribook models train minilm-sst2`), and run this page with
# `--profile original`. Left out: all texts but the first ones.
#
# ```{admonition} What differs from the paper
# :class: important
# **Encoders**: a 6-layer MiniLM tuned on each data set, not BERT; AG News is tuned on nine tenths of 10,001 texts.
# **Causal model**: Gemma 3 270M with labelled examples of ours in the prompt and 4-bit weights brought back to float32;
# the paper's Llama2 and Mistral are 25 times larger, and tuned (LoRA) for AG News and Emotion, where ours is prompted
# only. **Data**: the first texts, in the order of a hash, of each test split; of SST-2 and Emotion the paper's own
# splits, of AG News another copy. **RPI**, competitors and metrics are those of [](table_2) and [](table_4).
# ```

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # whoever reads; the rows are of the profile original
rows_of: str = "original"  # the profile that computed rows belong to
tasks: str = "SST2,AGN,EMR"  # as they are printed, for all models known; or printed:model:dataset for another model
compute: bool = False  # compute what is not stored, which needs texts and models
n_items: int = 60  # texts of each data set, for encoders
size: int = 24  # R, the number of maps to pick from
steps: int = 11  # points on RPI's path
slow_steps: int = 10  # points on a path of SIG
prompted_items: int = 24  # the same for prompted models: texts,
prompted_size: int = 8  # R,
prompted_steps: int = 6  # points on RPI's path,
prompted_slow_steps: int = 3  # and on one of SIG
blind_size: int = 24  # random rankings stored for each text of prompted models
samples: int = 8  # of gradient SHAP for prompted models
counted_items: int = 1000  # texts on which right answers of prompted models are counted; 0 takes all
layer: str = "-3"  # of RPI as released, -1 is the last
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
from dataclasses import replace

import pandas as pd
from IPython.display import Markdown, display

from attribook.data.datasets import DATASETS
from attribook.errors import AttribookError
from attribook.grid.stored import stored_frames
from attribook.ledger.table_verdicts import verdict_counts
from attribook.metrics.names import sign
from attribook.papers.cells import published
from attribook.papers.rpi.comparisons import beside_best, better_than
from attribook.papers.rpi.live import encoder_studies, prompted_studies
from attribook.papers.rpi.settings import DECODER_ROWS, ENCODER_ROWS, ERASURE, UNIT, read_tasks, released_setting
from attribook.show.figures import intervals
from attribook.show.source import source
from attribook.show.tables import table
from attribook.statistics.accuracy import clopper_pearson
from attribook.statistics.estimates import estimate
from attribook.statistics.kept import stored_predictions
from attribook.statistics.picking import best_of, one_map, oriented
from attribook.statistics.summaries import directions, estimate_texts

wanted = read_tasks(tasks)
encoders = {"n_items": n_items, "size": size, "layer": layer, "steps": steps, "slow_steps": slow_steps, "seed": seed}
prompted = {"n_items": prompted_items, "slow_items": prompted_items, "size": prompted_size, "random_size": blind_size,
            "layer": layer, "steps": prompted_steps, "slow_steps": prompted_slow_steps, "samples": samples,
            "seed": seed}  # fmt: skip
for task in wanted if compute else ():
    make, options = (encoder_studies, encoders) if task.table == 2 else (prompted_studies, prompted)
    studies, pool_studies = make(rows_of, task.model, task.dataset, **options)
    for study in (*studies, *pool_studies.values()):
        study.run()
    counted = replace(studies[0], n_items=0 if task.table == 2 else counted_items)
    counted.predicted(counted.items)  # stored, to count right answers
R = {2: size, 4: prompted_size}
rpi = {2: released_setting(layers=layer, steps=steps), 4: released_setting(layers=layer, steps=prompted_steps)}
sig = {2: slow_steps, 4: prompted_slow_steps}
rows_beside = {2: ENCODER_ROWS, 4: DECODER_ROWS}  # printed rows beside RPI, and our methods
first_printed = {2: "BERT", 4: "Mistral"}  # the printed column that is shown; the downloads have the others
stored = {study: stored_frames(rows_of, study) for study in ("rpi_table2", "rpi_table4")}
stored_pools = stored_frames(rows_of, "rpi_pools", pools=True)


def of(task, frame):  # the rows of a task
    places = {"model": task.model, "dataset": task.dataset, "protocol": task.protocol}
    return frame[(frame[list(places)] == pd.Series(places)).all(axis=1)]


single, pools = {}, {}
for task in wanted:
    found = of(task, stored[task.study])
    points = found["method"].str.extract(r"sequential_integrated_gradients\{steps=(\d+)\}", expand=False)
    found = found[points.isna() | (points == str(sig[task.table]))]
    single[task] = found.assign(method=found["method"].str.replace(r"\{.*\}", "", regex=True))
    found = of(task, stored_pools).replace({"method": {rpi[task.table]: "RPI"}})
    pools[task] = found[found["method"].isin(["RPI", "random"])]
held = [task for task in wanted if len(single[task]) and len(pools[task])]
missing = ", ".join(str(task) for task in wanted if task not in held)
if not held:
    raise AttribookError(f"No rows are stored of {missing}: set `compute`, where their texts and models are.")
note = "small models, none of them the paper's"

# %% tags=["answer", "remove-input"]
lines = []
for task in held:
    over = estimate(oriented(best_of(pools[task], R[task.table])), "difference", against={"method": "random"})
    texts = over["metric"].map(ERASURE) + " " + estimate_texts(over)
    lines.append(f"- **{task.printed}, {task.model}**: with the best of {R[task.table]}, RPI is, beside random "
                 f"rankings, {directions(over, texts)}; n = {over['n'].min()} texts.")  # fmt: skip
missing = f"No rows are stored of {missing}. " if missing else ""
Markdown("\n".join([*lines, "", f"{missing}Each comparison is decided at the 5% level; {note}."]))

# %% [markdown]
# ## Do the models know their tasks?

# %%
rows = [stored_predictions(rows_of, task.model, task.dataset).assign(task=task) for task in held]
right = pd.concat(rows).groupby("task", sort=False)["correct"].agg(["sum", "size"])
found = [
    {"printed as": task.printed, "model": task.model, "data set": task.dataset, "value": right / n,
     **dict(zip(("low", "high"), clopper_pearson(right, n), strict=True)), "n": n, "texts": DATASETS[task.dataset].rows}
    for task, right, n in right.itertuples()
]  # fmt: skip
table(pd.DataFrame(found), f"Accuracy on n of the held-out texts, with the 95% interval of Clopper and Pearson; {note}",
      digits={"value": "{:.1%}"}, names={"value": "accuracy", "n": "n (texts)"})  # fmt: skip

# %% [markdown]
# ## How many methods each is better than
#
# Each text has one value for every method and metric: that of the method's single map, or of the picked one. The best
# of R is the mean over all choices of R of the stored maps. These are values of small models and not the paper's.

# %%
values, best, best_random = {}, "RPI, best of R", "random, best of R"
for task in held:
    picked = pd.concat([one_map(pools[task]), best_of(pools[task], R[task.table]).assign(pick="best of R")])
    picked["name"] = picked["method"] + ", " + picked["pick"]
    own = single[task].assign(name=(single[task]["method"] + ":" + single[task]["variant"]).str.rstrip(":"))
    values[task] = pd.concat([own, picked])

# %% [markdown]
# Here is how many of the paper's other methods' single maps RPI's best, one map of RPI and the best of as many random
# rankings are better or worse than. Each difference is over the texts of both and is decided at the 5% level.

# %%
trio, counts = [best, "RPI, one map", best_random], []
for task in held:
    others = [name for name in rows_beside[task.table].values() if name in set(values[task]["name"])]
    counts.append(better_than(values[task], trio, others).assign(model=task.model))
counts = pd.concat(counts)
counts["decided"] = counts["better"].map(str) + " better, " + counts["worse"].map(str) + " worse"
across = counts.pivot_table(index=["model", "name", "of"], columns="metric", values="decided", aggfunc="first")
across, heads = across[list(ERASURE)].rename(columns=ERASURE), {"name": "method", "of": "methods"}
table(across.reset_index(), f"Better and worse than how many of the other methods; {note}", names=heads)

# %% tags=["hide-input"]
display(source(better_than), source(beside_best))

# %% [markdown]
# ## RPI's best against the best of random rankings
#
# Above 0 RPI's best is better; brackets hold 95% intervals over texts. `order` is Spearman's rank correlation of our
# order of the methods with the printed one, of BERT for encoders and of Mistral for the causal model, over so many
# methods. The models are small and not the paper's.

# %%
frames = {}
for task in held:
    names = rows_beside[task.table] | {"RPI": best}
    cells = published("rpi").query("table == @task.table and dataset == @task.printed").replace({"row": names})
    printed = cells.rename(columns={"row": "name"}).pivot(index=["name", "metric"], columns="column", values="value")
    frame = printed.merge(beside_best(values[task], best), on=["name", "metric"], how="right")
    frames[task] = frame.rename(columns={first_printed[task.table]: "published"})

# %%
found = []
for task, frame in frames.items():
    both = frame.dropna(subset="published").groupby("metric", sort=False)[["value", "published"]]
    order = both.corr("spearman").xs("value", level=1)["published"].rename("order")
    one = frame[frame["name"] == best_random].set_index("metric").join(order).assign(methods=both.size())
    found.append(one.reset_index().replace({"metric": ERASURE}).assign(model=task.model))
columns = ["model", "metric", "ahead", "ahead low", "ahead high", "ahead n", "detectable", "order", "methods"]
heads = {"ahead": "RPI ahead by", "ahead interval": "95% interval", "ahead n": "n (texts)"}
digits = {"ahead": "{:+.3f}", "detectable": "{:.3f}", "order": "{:+.2f}"}
table(pd.concat(found)[columns], f"RPI's best against the best random ranking; {note}", names=heads, digits=digits)

# %% [markdown]
# ## Every method, five metrics
#
# The column `published` and the diamonds are what the paper prints for BERT, or for Mistral, on the same data set;
# downloads have the paper's other models. `RPI's best ahead by` is the difference to RPI's best of R over the texts of
# both: above 0 RPI's best is better. The smallest detectable difference is what these texts would show at the 5% level
# with 80% power. The paper has neither occlusion nor the controls, which are made of the scores of gradient × input.

# %%
heads = {"name": "method", "value": "mean", "n": "n (texts)", "ahead": "RPI's best ahead by",
         "ahead interval": "interval of the difference"}  # fmt: skip
for task, frame in frames.items():
    others = [name for name in frame if name in ("DistilBERT", "RoBERTa", "Llama2")]
    for metric, rows in frame.groupby("metric", sort=False):
        rows, where = rows.sort_values("value", ascending=sign(metric) < 0), f"{task}, R = {R[task.table]}; {note}"
        display(intervals(rows, UNIT[metric], f"{UNIT[metric]} by method, {where}"))
        caption = f"{UNIT[metric]}, {where}; published: {first_printed[task.table]} on {task.printed}"
        display(table(rows, caption, digits=3, names=heads, drop=["metric", "ahead n", *others]))

# %% [markdown]
# ## What became of the published cells
#
# The ledger counts only which of two methods is better, as our models are others, for the columns of all the paper's
# models.

# %%
found = [verdict_counts("rpi", task.table, dataset=task.printed).assign(task=f"Table {task.table}, {task.printed}")
         for task in held]  # fmt: skip
verdicts = pd.concat(found).rename(columns=ERASURE)[["task", "verdict", *ERASURE.values()]].fillna(0)
table(verdicts, f"Verdicts on the printed cells of Tables 2 and 4; {note}", digits=0, names={"task": "table, data set"})
