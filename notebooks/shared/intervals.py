# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How far can these intervals be trusted?
#
# Every verdict of this book rests on intervals and p-values of some dozens or hundreds of items. This page measures
# what they keep, on populations whose truth is known: stored rows of the book, from which items are drawn with
# replacement, and two lognormal populations. Each sample goes through the code that the pages and the ledger use. It
# asks how often a 95% interval contains the truth, how often a table decides anything although no method differs from
# its baseline, and how much is found. The baseline is random scores, or integrated gradients in RPI's table, where no
# method is random. Reads `results/simulation`, which `tools/simulate.py` writes; with `repetitions` it simulates
# anew.
#
# The stored populations are small and come from our models, not the papers'. What a population hides, as an item that
# is a thousand times larger and did not happen to be stored, no simulation shows.

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # the profile this run belongs to
repetitions: int = 0  # samples of each population and size; 0 reads the stored simulation
largest: int = 400  # items of a sample, at most

# %% tags=["hide-input"]
import pandas as pd
from IPython.display import Markdown

from attribook.paths import results_folder
from attribook.show.figures import lines
from attribook.show.tables import table
from attribook.statistics.simulation import FAMILY_SIZES, SIZES, coverage, family_rows, populations
from attribook.statistics.tests import LEAST_CARRIERS, LEAST_N

stored = results_folder() / "simulation" / "simulated.csv"
if repetitions:
    found = [coverage(one, n, repetitions) for every in populations() for one in every.extremes()
             for n in SIZES if n <= largest]  # fmt: skip
    for every in populations():
        if every.values.shape[1] > 1:
            found += [row for n in FAMILY_SIZES if n <= largest for row in family_rows(every, n, repetitions)]
rows = pd.DataFrame(found) if repetitions else pd.read_csv(stored)
covered, tested = rows[rows["tests"].isna()], rows[rows["tests"].notna()]
may_decide = (covered["n"] >= LEAST_N) & (covered["n"] >= LEAST_CARRIERS * covered["kurtosis"])
covered = covered.assign(type=may_decide.map({True: "open", False: "closed"}))
items = [len(one.baseline) for one in populations() if not one.name.startswith("lognormal")]

# %% tags=["answer", "remove-input"]
kept, ours = covered[covered["type"] == "open"], tested[(tested["procedure"] == "max-T") & (tested["n"] >= LEAST_N)]
error = (0.95 * 0.05 / covered["repetitions"].min()) ** 0.5
unadjusted = tested.loc[(tested["procedure"] == "none") & (tested["n"] >= LEAST_N), "any false"]
often = ours[ours["any false"] > 0.07]
named = ", ".join(f"{name} ({share:.1%} at n = {n:.0f})" for name, share, n in zip(
    often["population"], often["any false"], often["n"], strict=True))  # fmt: skip
Markdown(
    f"Simulated on {len(items)} populations of stored rows with {min(items)} to {max(items)} items each and on two "
    f"lognormal ones: {covered['repetitions'].min():.0f} samples of each population and n for coverage and "
    f"{tested['repetitions'].min():.0f} for tables. "
    + (f"That took {rows['seconds'].sum() / 60:.0f} CPU minutes. " if "seconds" in rows else "")
    + f"Where a verdict can be given (n of at least {LEAST_N}, and of {LEAST_CARRIERS} times the population's "
    f"kurtosis), 95% intervals contain the truth in {kept['studentised'].median():.1%} of the samples in the median "
    f"over {len(kept)} pairs of a population and an n, and in {kept['studentised'].min():.1%} at least; percentile "
    f"intervals in {kept['percentile'].median():.1%} and {kept['percentile'].min():.1%} "
    f"(Monte-Carlo error {error:.1%}). Where no method differs from the baseline, a table of "
    f"{ours['tests'].min():.0f} to {ours['tests'].max():.0f} tests decides something in "
    f"{ours['any false'].median():.1%} of the samples in the median and in {ours['any false'].max():.1%} at most, over "
    f"{len(ours)} pairs; without adjustment for the family it would in {unadjusted.median():.0%} in the median."
    + (
        f" More than 7%: {named}. These are samples that lack the item which carries a mean, and nothing in them shows "
        "it."
        if named
        else ""
    )
    + f" Comparisons that the population's own kurtosis leaves open are decided in {ours['any false, open'].max():.1%} "
    "at most."
)

# %% [markdown]
# ## How often a 95% interval contains the truth
#
# A log-ratio (or a difference of means) of one method to the baseline, for the methods of each table whose influence
# values have the median and the largest kurtosis. The kurtosis says how few items carry a mean: it is 3 for a normal
# distribution, and n where one item of n is everything. The line *worst* is the lowest share over all populations, also
# of those in which one item of twenty-four carries the mean and which no procedure can save: most samples lack it.

# %%
by_n = covered.groupby("n")[["percentile", "studentised"]].agg(["median", "min"])
by_n.columns = [f"{name}, {'worst' if which == 'min' else which}" for name, which in by_n.columns]
lines(by_n[["studentised, median", "studentised, worst", "percentile, worst"]], "share that contain the truth",
      "Share of 95% intervals that contain the truth, by n; the same numbers are in the table below")  # fmt: skip

# %%
shares = covered.assign(populations=1).groupby(["type", "n"]).agg(
    populations=("populations", "sum"), percentile=("percentile", "min"), median=("studentised", "median"),
    least=("studentised", "min"), wrong=("wrong and open", "max"), width=("width", "median"),
)  # fmt: skip
table(shares.sort_index(ascending=[False, True]).reset_index(), "Shares of intervals that contain the truth", digits=3,
      names={"type": "verdicts are", "percentile": "percentile, least", "median": "ours, median",
             "least": "ours, least", "wrong": "open and wrong, most", "width": "width, ours : percentile"})  # fmt: skip

# %% [markdown]
# *Open and wrong* is the share of all samples that may have a verdict by what they themselves show, and whose interval
# does not contain the truth. In a closed population most samples are barred, and those that are not are the quiet
# ones, which lack the items that carry the mean. So their intervals are worse than others, and the ledger says no more
# of such a sample than that nothing in it speaks against a verdict.

# %%
each = covered[covered["n"].isin([40, 100])].pivot(index=["population", "kurtosis"], columns="n", values="studentised")
each.columns = [f"n = {n}" for n in each.columns]
table(each.sort_index(level="kurtosis").reset_index(), "Shares of our intervals that contain the truth, by population",
      digits=dict.fromkeys(each, "{:.1%}") | {"kurtosis": "{:.1f}"})  # fmt: skip

# %% [markdown]
# ## Families of tests
#
# Every method of a population against the baseline is one table. In *any false* all methods are moved so that none
# differs from the baseline, and the share of samples is told in which any comparison is decided. In *found* nothing
# is moved, and the share of comparisons is told that are decided on the right side. *Of open ones* counts false
# decisions only of methods that n and the kurtosis of the whole population leave open: a sample may lack the one item
# that carries a method's mean, and then nothing in the sample says so. The book uses max-T, which is adjusted from
# the resamples themselves. Holm and Benjamini-Hochberg adjust the p-values of single tests; the latter bounds the
# share of false findings and not the chance of any.

# %%
family = tested[tested["n"] >= LEAST_N].groupby(["n", "procedure"], sort=False).agg(
    median=("any false", "median"), most=("any false", "max"), opened=("any false, open", "max"),
    found=("found", "mean"))  # fmt: skip
table(family.reset_index(), "Families under a true null, and what is found", digits={
      "median": "{:.1%}", "most": "{:.1%}", "opened": "{:.1%}", "found": "{:.0%}"},
      names={"median": "any false, median", "most": "any false, most", "opened": "of open ones, most"})  # fmt: skip

# %%
false = tested[(tested["procedure"] == "max-T") & (tested["n"] >= LEAST_N)]
false = false.pivot(index=["population", "tests"], columns="n", values="any false")
false.columns = [f"n = {n}" for n in false.columns]
table(false.reset_index(), "Any false decision by max-T, by population", digits={
      **dict.fromkeys(false, "{:.1%}"), "tests": "{:.0f}"})  # fmt: skip
