# ---
# jupyter:
#   attribook:
#     reads: [ledger, rpi_pools, rpi_table4]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Table 4 on the other data sets: SST-2, AG News, Emotion
#
# [The page on Table 4](table_4) asks a prompted causal model about film reviews. Here the same is asked on the
# paper's three other data sets: is RPI's best map ahead of five methods' single maps, and of the best of as many random
# rankings?
#
# The texts are not part of this project: rows are read from `results/original/rpi_table4` and `rpi_pools`, which hold
# no text. To compute them, put the texts into `$ATTRIBOOK_DATA` and run this page with `--profile original`.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: Gemma 3 270M with labelled examples of ours in the prompt, 4-bit weights brought back to float32; the
# paper's Llama2 and Mistral are 25 times larger, and tuned (LoRA) for AG News and Emotion, where ours is prompted only.
# How often it is right stands below. **Data**: the first texts, in the order of a hash, of each test split; of SST-2
# and Emotion the paper's own splits, of AG News another copy. **RPI**, competitors and metrics are those of
# [](table_4), with R = 8. **n** stands at every number.
# ```

# %% tags=["parameters"]
profile: str = "laptop"  # whoever reads; the rows are of the profile original
rows_of: str = "original"  # the profile that computed rows belong to
tasks: str = "SST2,AGN,EMR"  # as they are printed; or printed:model+template:dataset for another model
compute: bool = False  # compute what is not stored, which needs texts and the model
n_items: int = 24  # texts of each data set
counted_items: int = 1000  # texts to count right answers on; 0 takes all
size: int = 8  # R, the number of maps to pick from
blind_size: int = 24  # random rankings stored for each text
layer: str = "-3"  # of RPI as released, -1 is the last
steps: int = 6  # points on its path
slow_steps: int = 3  # points on a path of SIG
samples: int = 8  # of gradient SHAP
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
from IPython.display import Markdown, display

from attribook.papers.rpi.show_picking import erasure_figure, erasure_listing
from attribook.papers.rpi.tables import (
    DECODER_ROWS,
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
    compute_prompted_task,
    read_tasks,
    task_accuracies,
    task_evidence,
    task_values,
)
from attribook.show.tables import table

rpi, metrics = released_setting(layers=layer, steps=steps), tuple(ERASURE)
wanted, columns = read_tasks(tasks, 4), ("Mistral", "Llama2")
if compute:
    given = {"n_items": n_items, "counted_items": counted_items, "size": size, "blind_size": blind_size, "layer": layer,
             "steps": steps, "slow_steps": slow_steps, "samples": samples, "seed": seed}  # fmt: skip
    for task in wanted:
        compute_prompted_task(task, rows_of, **given)
held = {task: evidence for task in wanted if (evidence := task_evidence(task, rows_of))}
values = {task: task_values(evidence, rpi, size=size) for task, evidence in held.items()}
best, lucky = f"RPI, best of {size}", f"random, best of {size}"
missing = ", ".join(task.printed for task in wanted if task not in held)
Markdown(f"**No rows are stored of {missing}.**" if missing else "Rows of every data set are stored.")

# %% [markdown]
# ## Does the model know its tasks?

# %% tags=["remove-input"]
caption = "Accuracy on n of the held-out texts with its 95% interval (Wilson)"
table(task_accuracies(held), caption=caption, formats=dict.fromkeys(("accuracy", "low", "high"), "{:.1%}"))

# %% [markdown]
# ## The answer
#
# Than how many of the five methods' single maps are RPI's best, one map of RPI, and the best of as many random rankings
# better / worse, at the 5% level, over the texts of both?

# %% tags=["remove-input"]
for task, found in values.items():
    five = {name: found[name] for name in DECODER_ROWS if name in found}
    told = leads_table({name: found[name] for name in (best, "RPI, one map", lucky)}, five, metrics)
    display(table(told, caption=f"Better / worse than, of {len(five)} methods, {task.where}"))

# %% [markdown]
# And RPI's best against the best of as many random rankings, with a 95% interval: above 0 RPI is better. `order`:
# Spearman's correlation of our order of the methods with the one printed for Mistral.

# %% tags=["remove-input"]
tables = {}
for task, found in values.items():
    for metric in metrics:
        known = {f"{column}, {task.printed}": printed(4, metric, {best: "RPI", **DECODER_ROWS}, dataset=task.printed,
                                                      column=column) for column in columns}  # fmt: skip
        tables[task, metric] = erasure_table(found, metric, best, known)
alike = chance_table(tables, lucky, columns[0])
display(Markdown(chance_told(alike, size)))
formats = dict.fromkeys(("lead", "low", "high", "order"), "{:+.3f}") | {"detectable": "{:.3f}"}
caption = f"RPI's best against the best of {size} random rankings, and our order of the methods against Mistral's"
table(alike, caption=caption, formats=formats)

# %% [markdown]
# ## Every method, five metrics
#
# Diamonds and the columns before `ours`: what the paper prints, on other models. `lead`: how much better RPI's best is
# than this row, over the texts of both, with a 95% interval over texts. `detectable`: the smallest lead that these
# texts would show at the 5% level with 80% power. Occlusion and the controls, made of the scores of gradient × input,
# are not in the paper.

# %% tags=["remove-input"]
for (task, metric), frame in tables.items():
    known = [f"{column}, {task.printed}" for column in columns]
    display(erasure_figure(frame, metric, task.where, known[0]))
    display(erasure_listing(frame, metric, task.where, known))

# %% [markdown]
# ## What became of the published cells
#
# The sides only, of both models' columns, as the ledger has them.

# %% tags=["remove-input"]
for task in held:
    display(table(verdicts_table(4, dataset=task.printed), caption=f"Verdicts on RPI's Table 4, {task.printed}"))
