# ---
# jupyter:
#   attribook:
#     reads: [ledger, rpi_pools, rpi_table2]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Table 2 on the other data sets: SST-2, AG News, Emotion
#
# [The page on Table 2](table_2) asks on film reviews whether RPI's best of 24 maps is ahead of nine methods' single
# maps, and of the best of 24 random rankings. Here the same is asked on the paper's three other data sets.
#
# Their texts are not part of this project, and the encoders are tuned on them where they are used: rows are read from
# `results/original/rpi_table2` and `rpi_pools`, which hold no text. To compute them, put the texts into
# `$ATTRIBOOK_DATA`, tune each encoder (`attribook models train minilm-sst2`), and run this page with
# `--profile original`.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: a 6-layer MiniLM tuned on each data set, not BERT; the published columns are BERT's. AG News is tuned on
# nine tenths of 10,001 texts. **Data**: the first texts, in the order of a hash, of each test split; of SST-2 and
# Emotion the paper's own splits, of AG News another copy. **RPI**, competitors and metrics are those of [](table_2).
# **n** stands at every number.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # whoever reads; the rows are of the profile original
rows_of: str = "original"  # the profile that computed rows belong to
tasks: str = "SST2,AGN,EMR"  # as they are printed; or printed:model:dataset for another model
compute: bool = False  # compute what is not stored, which needs texts and encoders
n_items: int = 60  # texts of each data set
size: int = 24  # R, the number of maps to pick from
layer: str = "-3"  # of RPI as released, -1 is the last
steps: int = 11  # points on its path
slow_steps: int = 10  # points on a path of SIG
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
from IPython.display import Markdown, display

from attribook.papers.rpi.show_picking import erasure_figure, erasure_listing
from attribook.papers.rpi.tables import (
    ENCODER_ROWS,
    ERASURE,
    erasure_table,
    leads_table,
    printed,
    released_setting,
    verdicts_table,
)
from attribook.papers.rpi.tasks import (
    chance_table,
    chance_told,
    compute_task,
    read_tasks,
    task_accuracies,
    task_evidence,
    task_values,
)
from attribook.show.tables import table

rpi = released_setting(layers=layer, steps=steps)
wanted, metrics = read_tasks(tasks, 2), tuple(ERASURE)
if compute:
    given = {"n_items": n_items, "size": size, "slow_steps": slow_steps, "seed": seed}
    for task in wanted:
        compute_task(task, rows_of, rpi, **given)
held = {task: evidence for task in wanted if (evidence := task_evidence(task, rows_of))}
values = {task: task_values(evidence, rpi, size=size) for task, evidence in held.items()}
best, lucky = f"RPI, best of {size}", f"random, best of {size}"
missing = ", ".join(task.printed for task in wanted if task not in held)
Markdown(f"**No rows are stored of {missing}.**" if missing else "Rows of every data set are stored.")

# %% [markdown]
# ## Do the encoders know their task?

# %% tags=["remove-input"]
percent = dict.fromkeys(("accuracy", "low", "high"), "{:.1%}")
table(
    task_accuracies(held),
    caption="Accuracy on all different held-out texts with its 95% interval (Wilson)",
    formats=percent,
)

# %% [markdown]
# ## The answer
#
# Than how many of the nine methods' single maps are RPI's best, one map of RPI, and the best of as many random rankings
# better / worse, at the 5% level, over the texts of both?

# %% tags=["remove-input"]
for task, found in values.items():
    nine = {name: found[name] for name in ENCODER_ROWS if name in found}
    told = leads_table({name: found[name] for name in (best, "RPI, one map", lucky)}, nine, metrics)
    display(table(told, caption=f"Better / worse than, of {len(nine)} methods, {task.where}"))

# %% [markdown]
# And RPI's best against the best of as many random rankings, with a 95% interval: above 0 RPI is better. `order`:
# Spearman's correlation of our order of the methods with the printed one.

# %% tags=["remove-input"]
tables = {}
for task, found in values.items():
    for metric in metrics:
        known = printed(2, metric, {best: "RPI", **ENCODER_ROWS}, dataset=task.printed, column="BERT")
        tables[task, metric] = erasure_table(found, metric, best, {f"BERT, {task.printed}": known})
alike = chance_table(tables, lucky, "BERT")
display(Markdown(chance_told(alike, size)))
formats = dict.fromkeys(("lead", "low", "high", "order"), "{:+.3f}") | {"detectable": "{:.3f}"}
caption = f"RPI's best against the best of {size} random rankings, and our order of the methods against BERT's"
table(alike, caption=caption, formats=formats)

# %% [markdown]
# ## Every method, five metrics
#
# Diamonds and the column before `ours`: what the paper prints, on another model. `lead`: how much better RPI's best is
# than this row, over the texts of both, with a 95% interval over texts. `detectable`: the smallest lead that these
# texts would show at the 5% level with 80% power.

# %% tags=["remove-input"]
for (task, metric), frame in tables.items():
    column = f"BERT, {task.printed}"
    display(erasure_figure(frame, metric, task.where, column))
    display(erasure_listing(frame, metric, task.where, [column]))

# %% [markdown]
# ## What became of the published cells
#
# The sides only, of all three encoders' columns, as the ledger has them.

# %% tags=["remove-input"]
for task in held:
    display(table(verdicts_table(2, dataset=task.printed), caption=f"Verdicts on RPI's Table 2, {task.printed}"))
