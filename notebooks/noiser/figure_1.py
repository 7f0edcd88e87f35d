# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Figure 1: one prompt before the judge
#
# Noiser's Figure 1 shows a prompt, the words that each method keeps, and what the judge makes of them. One prompt can
# be chosen, so this one is the first of the study, in the order of a hash of the prompts' names; `shown` picks
# another. Reads `results/<profile>/noiser_knowns_judged_*`, of which [](table_3) has the rates. Cost: from
# stored rows, seconds. Left out: the paper's judge, Llama-3.3-70B-Instruct.

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # whose prediction is explained
dataset: str = "knowns-mini"  # or knowns from $ATTRIBOOK_DATA
judge: str = "smollm2-135m"  # a known name, a folder, or a hub id
asking: str = "plain"  # how: plain, chat, or server ($OPENAI_BASE_URL)
n_items: int = 24  # 0 takes all kept prompts
shown: int = 0  # which of them
keep: str = "correct"  # correct_both, correct, or all
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
from IPython.display import Markdown

from attribook.papers.noiser.answers import example_table, judge_study
from attribook.papers.noiser.tables import TEN
from attribook.show.tables import table

study = judge_study("Knowns", profile, model, dataset, ("random", *TEN), judge, asking=asking,
                    n_items=n_items, keep=keep, seed=seed)  # fmt: skip
rows, item = study.rows(), study.items[shown]
wanted = rows.loc[rows["item"] == item.id, "wanted"].iloc[0]
Markdown(f"> {item.text}\n\n`{model}` goes on with **{wanted}**; the judge is `{judge}`.")

# %% tags=["remove-input"]
found = example_table(rows, item.id)
right = int((found["right"] == "yes").sum())
Markdown(f"From {right} of {len(found)} choices of words the judge says **{wanted}**.")

# %% tags=["remove-input"]
table(found, caption=f"Words kept and answers, item {item.id}", formats={"mass": "{:.2f}"})

# %% [markdown]
# `mass`: the kept words' share of the method's positive scores, which the score counts where the answer is right.
# `(ends)`: the judge ends the line without another word, a wrong answer.
