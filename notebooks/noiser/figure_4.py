# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Noiser · Figure 4: does faithfulness go with answerability?
#
# Noiser's Figure 4 draws each method's faithfulness against its answerability rate and score on Knowns, and the text
# speaks of a correlation without giving one. Here it is computed, with its interval over prompts. Reads
# `results/<profile>/noiser_knowns` and `noiser_knowns_judged_*`. Cost: from stored rows, seconds.
#
# ```{admonition} What differs from the paper
# :class: important
# **Model**: 135M parameters, 4-bit weights brought back to float32. **Judge**: of 135M parameters, not
# Llama-3.3-70B-Instruct. **Data**: our own prompts in the form of Knowns; n is below. A correlation over ten methods
# says little, however many prompts there are: the interval is over prompts, for these ten.
# ```

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
import warnings

import numpy as np
import pandas as pd
from IPython.display import Markdown, display
from scipy.stats import DegenerateDataWarning, pearsonr

from attribook.grid.judged import JudgeStudy
from attribook.grid.study import Study
from attribook.papers.noiser.settings import KNOWNS, TEN, judged
from attribook.show.figures import scatter
from attribook.show.tables import table
from attribook.show.words import in_words
from attribook.statistics.items import item_values
from attribook.statistics.resampling import estimate_of
from attribook.statistics.tests import ABOVE, BELOW, UNDECIDED, decided

warnings.simplefilter("ignore", DegenerateDataWarning)  # samples in which all methods are alike are left out below
given = {"profile": profile, "model": model, "dataset": dataset, "n_items": n_items, "keep": keep, "seed": seed}
studies = [Study(**KNOWNS, **given, methods=("random",), random_seeds=5),
           Study(**KNOWNS, **given, methods=TEN, random_seeds=1)]  # fmt: skip
judges = JudgeStudy(**judged(KNOWNS, judge), **given, methods=("random", *TEN), asking=asking)
soft = pd.concat([study.frame() for study in studies], ignore_index=True)
answers = judges.frame().query("variant == 'top'")  # the judge sees the more important half of the words
where = f"{model}, {dataset}, judge {judge}"

# %% [markdown]
# ## How the correlation is made
#
# A method has four means over prompts: Soft-NC, Soft-NS, rate and score; random scores have the first two. Faithfulness
# is the sum of the log-ratios of Soft-NC and Soft-NS to those of random scores. Pearson's correlation is taken over the
# ten methods; for its 95% interval prompts are drawn with replacement, together for all methods. Samples in which no
# method differs from another, or a mean is 0, have no correlation and count as infinitely far away.

# %%
parts = dict.fromkeys(("soft_nc", "soft_ns"), (*TEN, "random"))
parts |= dict.fromkeys(("answerability_rate", "answerability_score"), TEN)
columns = [(metric, name) for metric, names in parts.items() for name in names]
wide = item_values(pd.concat([soft, answers]), ["metric", "method"])
wide = wide.pivot(index="item", columns=["metric", "method"], values="value")[columns].dropna()  # prompts that have all
at = {metric: [place for place, (own, _) in enumerate(columns) if own == metric] for metric in parts}


# %%
def faithfulness(means):  # of shape (..., columns); gives (..., methods)
    logs = [np.log(means[..., at[metric]]) for metric in ("soft_nc", "soft_ns")]
    return sum(each[..., :-1] - each[..., -1:] for each in logs)


def correlation(metric):
    return estimate_of(wide.to_numpy(), lambda means: pearsonr(faithfulness(means), means[..., at[metric]], axis=-1)[0],
                       seed=seed)  # fmt: skip


correlations = {name: correlation(f"answerability_{name}") for name in ("rate", "score")}

# %% tags=["answer", "remove-input"]
SIDES = {ABOVE: "The correlation is above 0", BELOW: "The correlation is below 0",
         UNDECIDED: "Whether the correlation is above or below 0 is undecided"}  # fmt: skip
lines = [
    f"- Faithfulness and **{name}** over {len(TEN)} methods: r = {in_words(found.columns())}. {SIDES[decided(found)]}."
    for name, found in correlations.items()
]
Markdown("\n".join([*lines, "", studies[1].n_kept()]))

# %% [markdown]
# ## Each method
#
# The means over the prompts for which all methods have all four values. Model and judge are small and not the paper's.

# %%
means = wide.mean().to_numpy()
points = pd.DataFrame({"method": TEN, "faithfulness": faithfulness(means), "rate": means[at["answerability_rate"]],
                       "score": means[at["answerability_score"]]})  # fmt: skip
for name in ("rate", "score"):
    display(scatter(points, "faithfulness", name, "method", f"Faithfulness against {name} by method, {where}"))

# %%
table(points.assign(n=len(wide)), f"Figure 4: faithfulness, rate and score, {where}",
      digits={"faithfulness": "{:+.2f}", "rate": "{:.0f}", "score": "{:.3f}"},
      names={"faithfulness": "faithfulness (nats)", "rate": "rate (%)"})  # fmt: skip
