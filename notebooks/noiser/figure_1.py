# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Noiser · Figure 1: one prompt before the judge
#
# Noiser's Figure 1 shows a prompt, the words that each method keeps, and what the judge makes of them. One prompt can
# be chosen, so this one is the first of the study, in the order of a hash of the prompts' names; `shown` picks
# another. Reads `results/<profile>/noiser_knowns_judged_*`, of which [](table_3) has the rates. Cost: from
# stored rows, seconds. Left out: the paper's judge, Llama-3.3-70B-Instruct.

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # whose prediction is explained
dataset: str = "knowns-mini"  # or knowns from $ATTRIBOOK_DATA
judge: str = "smollm2-135m"  # a known name, a folder, or a hub id
asking: str = "plain"  # how: plain, chat, or server ($OPENAI_BASE_URL)
n_items: int = 24  # 0 takes all kept prompts
shown: int = 0  # which of them
keep: str = "correct"  # correct_both, correct, or all
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.grid.judged import JudgeStudy
from attribook.papers.noiser.settings import KNOWNS, TEN, judged
from attribook.show.tables import table

study = JudgeStudy(**judged(KNOWNS, judge), profile=profile, model=model, dataset=dataset, methods=("random", *TEN),
                   asking=asking, n_items=n_items, keep=keep, seed=seed)  # fmt: skip
rows, item = study.rows(), study.items[shown]  # an answer each, with the words that the judge saw
answers = rows[(rows["item"] == item.id) & (rows["seed"] == seed) & (rows["selection"] != "bottom")]

# %% tags=["answer", "remove-input"]
wanted, right = answers["wanted"].iloc[0], answers["correct"] == 1
chosen = ", ".join(f"`{name}`" for name in answers.loc[right & (answers["method"] != "random"), "method"])
Markdown(
    f"> {item.text}\n\n`{model}` goes on with **{wanted}**. The judge, `{judge}`, says so too from {right.sum()} of "
    f"{len(answers)} choices of words{chosen and f', among them those of {chosen}'}. This is one prompt; [](table_3) "
    "has the rates of all prompts with their intervals."
)

# %% [markdown]
# ## What the judge saw and said
#
# `mass` is the kept words' share of the method's positive scores, which the score of answerability counts where the
# answer is right. `(ends)`: the judge ends the line without another word, a wrong answer. Model and judge are small and
# not the paper's.

# %%
names = {"none": "no words", "random": "random words", "first": "first words"}
method = answers["method"] != "random"
seen = pd.DataFrame({
    "chosen by": answers["method"].where(method, answers["selection"].map(names)),
    "words": answers["kept"].fillna("").replace("", "(none)"),
    "answer": answers["answer"].fillna("").replace("", "(ends)"),
    "right": answers["correct"].map({1: "yes", 0: "no"}).where(answers["status"] == "ok", answers["status"]),
    "mass": answers["value"].where(method),
})  # fmt: skip
table(seen, f"Words kept and answers, prompt {item.id} of {dataset}, {model}, judge {judge}")
