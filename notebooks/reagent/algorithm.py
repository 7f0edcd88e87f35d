# ---
# jupyter:
#   attribook:
#     finding: "Of"
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # ReAGent · The algorithm, step by step on one prompt
#
# ReAGent's algorithm 1 starts from random scores. A step replaces random tokens, measures how much probability the
# predicted word loses, and adds that loss to the logits of the replaced tokens and its opposite to all others. A
# stopping test then asks whether the best-scored tokens alone still bring the word among the most probable ones. This
# page records one such run and shows every part of it. Then more runs start from other seeds, and the page compares
# where they end.
#
# The page stores nothing: what you see was computed when it was built. Cost: about a minute. Left out: the paper's
# RoBERTa. Replacements are drawn here from the explained model's own prediction of each token from what stands to its
# left, which can draw the token itself. The model is small and not one of the paper's. One prompt shows how the method
# works, not how well.

# %% tags=["parameters", "hide-input"]
profile: str = "laptop"  # the profile this run belongs to
model: str = "smollm2-135m"  # a causal language model: a known name, a folder, or a hub id
prompt: str = "Super Mario Land is a side scrolling platform video game developed by"  # of the paper's Table 4
max_steps: int = 100  # a run that has not stopped by then is ended; the method's default
first_steps: int = 8  # how many steps are listed in full
draws: int = 100  # how often the last stopping test is drawn again
runs: int = 20  # how many runs are compared; the first is the one shown
seed: int = 0  # the only source of randomness

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
from IPython.display import Markdown
from scipy.stats import binomtest, entropy, hypergeom, spearmanr

from attribook.papers.reagent.live import last_test_again, run_step_by_step, runs_from_seeds
from attribook.show.figures import lines
from attribook.show.heatmap import heatmaps
from attribook.show.literal import in_markdown
from attribook.show.marked import marked_texts
from attribook.show.tables import table
from attribook.show.tokens import label
from attribook.statistics.agreement import rank_correlations
from attribook.statistics.top_sets import jaccard, top_set, top_size

run = run_step_by_step(model, prompt, seed=seed, max_steps=max_steps)
tested_again = last_test_again(run, draws, seed=seed)
ends = pd.DataFrame(runs_from_seeds(model, prompt, runs, seed=seed, max_steps=max_steps))
scores = np.array(ends["scores"].tolist())  # (runs, n)
encoding, options, steps = run.encoding, run.options, run.steps()
target, n, share = label(encoding.target_text), scores.shape[1], options["keep_share"]
shown = sorted({step for step in (1, 2, 5, 10, 20, 50) if step < len(run)} | {len(run)})
where = f"{model}, '{prompt}'"

# %% tags=["answer", "remove-input"]
singles = rank_correlations(ends.to_dict("records"), "seed").query("seed < other")["value"]
Markdown(
    f"`{model}` reads {len(encoding)} tokens and gives **{in_markdown(target)}** the probability "
    f"{encoding.probability:.1%}. Each step replaces each token with probability {options['ratio']}; the test keeps "
    f"the {steps['kept'].iloc[0]} best-scored of {n} tokens and asks whether **{in_markdown(target)}** is among the "
    f"{options['top_k']} most probable. The recorded run took {len(run)} steps "
    f"{'and stopped' if steps['stopped'].iloc[-1] else 'and was ended there'}. Of {runs} runs from different seeds "
    f"{ends['stopped'].sum()} stopped within {max_steps} steps; two single runs order the tokens with a mean rank "
    f"correlation of {singles.mean():+.2f} (from {singles.min():+.2f} to {singles.max():+.2f} over {len(singles)} "
    "pairs of runs)."
)

# %% [markdown]
# ## The first steps
#
# The drop is the probability of the predicted word before minus after the replacement. Replaced tokens get
# $\operatorname{logit}((1 + \text{drop}) / 2)$ on top of their logit, all others the same with the opposite sign; where
# the word became more probable, the drop is negative and the others gain. One number serves for all tokens of a step,
# so two tokens are told apart only by the steps that replaced one of them without the other. A token that was drawn
# again, as in "in → in", counts as replaced.

# %%
columns = ["replaced", "before", "after", "drop", "added to the replaced"]
formats = dict.fromkeys(("before", "after"), "{:.3f}") | dict.fromkeys(columns[3:], "{:+.3f}")
table(steps[columns].head(first_steps), f"What the first steps replaced, and what that cost; {where}", digits=formats)

# %% [markdown]
# ## The scores as the steps go by
#
# The scores are the softmax of the logits: positive, adding up to 1, and at first random. Each row is coloured relative
# to its largest score; hover for the numbers.

# %%
by_step = run.scores_by_step().reindex(columns=range(len(encoding)), fill_value=0.0)
heatmaps(encoding.tokens, {f"after {step}" if step else "before": by_step.loc[step].tolist() for step in (0, *shown)})

# %% [markdown]
# ## The stopping test, seen by the model
#
# After each step all tokens but the best-scored (marked) are replaced at once, and the model predicts from that. The
# test looks at a single draw of replacements, so it can be passed or failed by chance.

# %%
tests = run.tests()
marked_texts({f"step {step}": tests[step] for step in shown})

# %%
columns = ["kept", "most probable next", "rank of target", "stopped"]
table(steps.loc[shown, columns], f"What the model predicts from these texts; the target is {target}; {where}")

# %% [markdown]
# How often is the test passed by chance? The last test is drawn again and again with new replacements: for the tokens
# that the run kept, and for as many tokens drawn at random.

# %%
again = tested_again.groupby("kept tokens", sort=False)["passed"]
passed = again.agg(["count", "mean"]).rename(columns={"count": "draws", "mean": "passed"})
intervals = [binomtest(int(each.sum()), len(each)).proportion_ci(method="exact") for _, each in again]
passed[["passed low", "passed high"]] = intervals
caption = f"Share of draws with {target} among the {options['top_k']} most probable, 95% interval; {where}"
table(passed, caption, digits={"passed": "{:.0%}"})

# %% [markdown]
# ## How sharp the scores become
#
# Logits add up over steps, and a softmax of growing sums tends to a single peak. So the longer a run, the sharper its
# scores, whatever the ranking; and a run that stops early still holds much of its random start. The entropy is
# divided by that of equal scores: 1 is flat, 0 is one token alone.

# %%
by_step = run.scores_by_step()
even = np.log(max(2, n))
curve = pd.DataFrame({"largest score": by_step.max(axis=1), "entropy / log n": entropy(by_step, axis=1) / even})
first, last = curve.iloc[0].round(2).tolist(), curve.iloc[-1].round(2).tolist()
lines(curve, "share", f"Largest score and entropy over {len(run)} steps of {model}, from {first} to {last}")

# %% [markdown]
# ## Where other seeds end
#
# The same prompt, the same model, other random numbers. The last column is Spearman's rank correlation of a run's
# scores with the mean of all other runs'.

# %%
others = (scores.sum(0) - scores) / max(1, runs - 1)
listed = ends[["seed", "steps", "stopped"]].rename(columns={"seed": "run"})
named = [pd.Series(each, index=tokens).nlargest(3) for each, tokens in zip(scores, ends["tokens"], strict=True)]
listed["best tokens"] = [", ".join(f"{token} {score:.2f}" for token, score in each.items()) for each in named]
listed["with the others"] = [spearmanr(one, rest).statistic for one, rest in zip(scores, others, strict=True)]
table(listed, f"{runs} runs from different seeds; {where}")

# %% [markdown]
# The method averages runs, so that its answer depends less on the seed. How much less: disjoint groups of these runs
# are averaged, and the averages compared.

# %%
sizes = [size for size in (1, 2, 5) if runs // size > 1]
means = {size: scores[: runs // size * size].reshape(-1, size, n).mean(1) for size in sizes}
given = {(size, group): mean for size, groups in means.items() for group, mean in enumerate(groups)}
rows = [{"item": size, "method": "mean", "seed": group, "scores": mean} for (size, group), mean in given.items()]
pairs = rank_correlations(rows, "seed").query("seed < other")
tops = {place: top_set(mean, range(n), share) for place, mean in given.items()}
places = pairs[["item", "seed", "other"]].to_numpy()
pairs["overlap"] = [jaccard(tops[size, one], tops[size, other]) for size, one, other in places]
alike = pairs.groupby("item").agg({"value": ["count", "mean", "min", "max"], "overlap": "mean"})
alike.columns = ["pairs", "mean", "least", "greatest", "overlap of top sets"]
caption = f"Rank correlation of two averages, and Jaccard index of their best {share:.0%} of {n} tokens; {where}"
table(alike.rename_axis("runs averaged"), caption)

# %%
size = top_size(n, share)
shared = np.arange(size + 1)  # tokens that two random sets have in common: hypergeometric
chance = hypergeom(n, size, size).pmf(shared) @ (shared / (2 * size - shared))
Markdown(f"Two random sets of as many tokens have an expected Jaccard index of {chance:.2f}.")
