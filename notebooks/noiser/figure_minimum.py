# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Noiser · Minimum share of top attributions
#
# How few of the most important words does the judge need? From all words on, the least important one is taken away
# until the judge fails; the figure's number is the mean share that was left before that. Claim: occlusion needs the
# fewest, LIME is second, Noiser a close third (Noiser, section 5; the values are not in the text). Reads
# `results/<profile>/noiser_knowns_minimum_*`. Cost: from stored rows, seconds. Left out: the paper's models and its
# judge, Llama-3.3-70B-Instruct. Only prompts that the judge answers with all words have a share.

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # which stored rows to read
model: str = "smollm2-135m"  # whose predictions are explained
dataset: str = "knowns-mini"  # or knowns from $ATTRIBOOK_DATA
judge: str = "smollm2-135m"  # a known name, a folder, or a hub id
asking: str = "plain"  # how: plain, chat, or server ($OPENAI_BASE_URL)
n_items: int = 24  # 0 takes all kept prompts
keep: str = "correct"  # correct_both, correct, or all
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
from IPython.display import Markdown

from attribook.grid.judged import MINIMUM, JudgeStudy
from attribook.papers.noiser.settings import KNOWNS, TEN, judged
from attribook.show.figures import intervals
from attribook.show.tables import table
from attribook.show.words import in_words
from attribook.statistics.estimates import estimate
from attribook.statistics.tests import ABOVE, BELOW, decisions

study = JudgeStudy(**judged(KNOWNS, judge, rows=MINIMUM), profile=profile, model=model, dataset=dataset, methods=TEN,
                   selections=(MINIMUM,), asking=asking, n_items=n_items, keep=keep, seed=seed)  # fmt: skip
shares = study.rows()  # `value` is the share of words that was left; `status` is not ok where all words do not do
where = f"{model}, {dataset}, judge {judge}"

# %% tags=["answer", "remove-input"]
found = estimate(shares, by="method").sort_values("value")
first = found.iloc[0]
lead = estimate(shares, "difference", "method", of={"method": first["method"]}, family=(), chosen=True)
won = decisions(lead)
Markdown(
    (
        f"`{first['method']}` needs the smallest share of the words, {in_words(first, sign='')}. It is shown to need "
        f"fewer than {(won == BELOW).sum()} of {len(lead)} other methods (p adjusted by max-T over all pairs). "
        if first["n"] else "The judge is right on no prompt, so no method has a share. "
    )
    + f"With all words, the judge fails on {found['failed'].max()} prompts, which are left out.\n\n{study.n_kept()}"
)  # fmt: skip

# %% [markdown]
# ## How few words are needed
#
# The mean share of words with which the judge was still right, over the prompts on which it is right with all words;
# `not answerable` counts the others. Model and judge are small and not the paper's.

# %%
least = estimate(shares, by="method").sort_values("value")
label = "share of words with which the judge is still right"
intervals(least.dropna(subset="value").rename(columns={"method": "name"}), label, f"{label} by method, {where}")

# %%
table(least, f"Minimum share of words, {where}", drop=["p", "detectable"],
      names={"value": "share of words", "failed": "not answerable"})  # fmt: skip

# %% [markdown]
# ## Is the first ahead of the others?
#
# The share of the method that needs the fewest words minus that of each other method, over the same prompts. p is
# adjusted by max-T over all pairs of methods, since `{best}` was chosen by these rows.

# %%
best = least["method"].iloc[0]
lead = estimate(shares, "difference", "method", of={"method": best}, family=(), chosen=True)
lead = lead.sort_values("value")
lead["needs"] = decisions(lead).map({ABOVE: "more", BELOW: "fewer"}).fillna("undecided")
table(lead, f"Share of words for {best} minus that of others, {where}", drop=["failed", "p"],
      names={"method": "other", "value": "difference", "needs": f"{best} needs"})  # fmt: skip
