# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Minimum share of top attributions
#
# How few of the most important words does the judge need? From all words on, the least important one is taken away
# until the judge fails; the figure's number is the mean share that was left before that. Claim: occlusion needs the
# fewest, LIME is second, Noiser a close third (Noiser, section 5; the values are not in the text). Reads
# `results/<profile>/noiser_knowns_minimum_*`. Cost: from stored rows, seconds. Left out: the paper's models and its
# judge, Llama-3.3-70B-Instruct. Only prompts that the judge answers with all words have a share.

# %% tags=["parameters"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # whose predictions are explained
dataset: str = "knowns-mini"  # or knowns from $ATTRIBOOK_DATA
judge: str = "smollm2-135m"  # a known name, a folder, or a hub id
asking: str = "plain"  # how: plain, chat, or server ($OPENAI_BASE_URL)
n_items: int = 24  # 0 takes all kept prompts
keep: str = "correct"  # correct_both, correct, or all
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
from IPython.display import Markdown

from attribook.papers.noiser.answers import judge_study, minimum_table, share_lead
from attribook.papers.noiser.show_judge import minimum_listing
from attribook.papers.noiser.tables import TEN
from attribook.show.figures import intervals

study = judge_study("Knowns", profile, model, dataset, TEN, judge, least=True, asking=asking, n_items=n_items,
                    keep=keep, seed=seed)  # fmt: skip
rows = study.rows()
found, where = minimum_table(rows), f"{model}, {dataset}, judge {judge}"
Markdown(study.n_kept())

# %% tags=["remove-input"]
first = found["method"].iloc[0]
lead = share_lead(rows, first)
ahead = int((lead["high"] < 0).sum()) if len(lead) else 0
Markdown(
    f"`{first}` needs the smallest share of words, {found['share'].iloc[0]:.2f}; fewer than {ahead} of "
    f"{len(found) - 1} others by a paired interval that excludes 0. n = {found['n'].min()}: with all words the judge "
    f"fails on {found['not answerable'].max()} prompts."
)

# %% tags=["remove-input"]
label = "share of words with which the judge is still right"
drawn = found.dropna(subset="share").rename(columns={"method": "name", "share": "value"})
intervals(drawn, label, f"{label} by method, {where}")

# %% tags=["remove-input"]
minimum_listing(found, where)
