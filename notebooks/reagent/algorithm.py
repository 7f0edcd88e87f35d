# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The algorithm, walked through on one prompt
#
# ReAGent's algorithm 1 starts from random scores. A step replaces random tokens, sees what the predicted word loses,
# and gives that loss to the tokens it replaced and its opposite to all others; a test then asks whether the
# best-scored tokens alone still bring the word out. This page runs one such run and shows every part of it, then lets
# more runs start from other seeds and compares where they end.
#
# It stores nothing: what you see was computed when the page was built. Cost: about a minute. Left out: the
# paper's RoBERTa. Replacements are drawn here from the explained model's own prediction of each token from what stands
# to its left, which can draw the token itself. One prompt shows how the method works, not how well.

# %% tags=["parameters"]
profile: str = "laptop"  # the profile this run belongs to
model: str = "smollm2-135m"  # a causal language model: a known name, a folder, or a hub id
prompt: str = "Super Mario Land is a side scrolling platform video game developed by"  # of the paper's Table 4
max_steps: int = 100  # a run that has not stopped by then is ended; the method's default
first_steps: int = 8  # how many steps are listed in full
draws: int = 100  # how often the last stopping test is drawn again
runs: int = 20  # how many runs are compared; the first is the one shown
seed: int = 0  # the only source of randomness

# %% tags=["remove-input"]
from IPython.display import Markdown

from attribook.papers.reagent.live import (
    passes,
    run_agreement,
    runs_from_seeds,
    runs_table,
    sharpness_curve,
    steps_table,
    stop_table,
    stop_texts,
    walk_reagent,
)
from attribook.papers.reagent.top import chance_jaccard
from attribook.show.figures import lines
from attribook.show.heatmap import heatmaps
from attribook.show.marked import marked_texts
from attribook.show.tables import table

walk = walk_reagent(model, prompt, seed=seed, max_steps=max_steps)
encoding, options, shown = walk.encoding, walk.options, walk.until(1, 2, 5, 10, 20, 50)
target, kept, n = encoding.target_text.strip(), int(walk.kept[0].sum()), int(walk.places.sum())
end = "and stopped" if bool(walk.stopped[-1]) else "without stopping, and was ended"
Markdown(
    f"`{model}` reads {len(encoding)} tokens and gives **{target}** the probability {encoding.probability:.1%}. "
    f"Each step replaces each token with probability {options['ratio']}; the test keeps the {kept} best-scored of {n} "
    f"tokens and asks whether **{target}** is among the {options['top_k']} most probable. The run took "
    f"{len(walk)} steps {end}."
)

# %% [markdown]
# ## The first steps
#
# The drop is the probability of the predicted word before minus after the replacement. Replaced tokens get
# $\operatorname{logit}((1 + \text{drop}) / 2)$ on top of their logit, all others the same with the opposite sign; where
# the word became more probable, the drop is negative and the others gain. One number serves for all tokens of a step,
# so two tokens are told apart only by the steps that replaced one of them without the other. A token that was drawn
# again, as in "in → in", counts as replaced.

# %% tags=["remove-input"]
changes = ("drop", "replaced get", "others get")
numbers = dict.fromkeys(("before", "after"), "{:.3f}") | dict.fromkeys(changes, "{:+.3f}")
table(steps_table(walk, first_steps), caption=f"What the first steps replaced, and what {target} lost", formats=numbers)

# %% [markdown]
# ## The scores as the steps go by
#
# The scores are the softmax of the logits: positive, adding up to 1, and at first random. Each row is coloured relative
# to its largest score; hover for the numbers.

# %% tags=["remove-input"]
heatmaps(
    encoding.tokens,
    {"before": walk.first.tolist()} | {f"after {step}": walk.scores[step - 1].tolist() for step in shown},
)

# %% [markdown]
# ## The stopping test, seen by the model
#
# After each step all tokens but the best-scored (marked) are replaced at once, and the model predicts from that. The
# test looks at a single draw of replacements, so it can be passed by luck, and failed by a draw that is in the way.

# %% tags=["remove-input"]
marked_texts(stop_texts(walk, shown))

# %% tags=["remove-input"]
table(stop_table(walk, shown), caption=f"What the model predicts from these texts; the target is {target}")

# %% [markdown]
# How much was luck? The last test again and again, with new replacements: for the tokens that the run kept, and for as
# many tokens drawn at random.

# %% tags=["remove-input"]
table(
    passes(walk, draws, seed=seed),
    caption=f"Share of draws with {target} among the {options['top_k']} most probable, with Wilson's 95% interval",
    formats=dict.fromkeys(("passed", "low", "high"), "{:.0%}"),
)

# %% [markdown]
# ## How sharp the scores become
#
# Logits add up over steps, and a softmax of growing sums tends to a single peak. So the longer a run, the sharper its
# scores, whatever the ranking; and a run that stops early still holds much of its random start. The entropy is
# divided by that of equal scores: 1 is flat, 0 is one token alone.

# %% tags=["remove-input"]
curve = sharpness_curve(walk)
(largest, entropy), (last_largest, last_entropy) = curve.iloc[0], curve.iloc[-1]
words = f"from {largest:.2f} to {last_largest:.2f}; entropy from {entropy:.2f} to {last_entropy:.2f}"
lines(curve, "share", f"Largest score over {len(walk)} steps, {words}")

# %% [markdown]
# ## Where other seeds end
#
# The same prompt, the same model, other random numbers. The last column is Spearman's rank correlation of a run's
# scores with the mean of all other runs'.

# %% tags=["remove-input"]
ends = runs_from_seeds(model, prompt, runs, seed=seed, max_steps=max_steps)
table(runs_table(ends), caption=f"{runs} runs from different seeds", formats={"with the others": "{:+.2f}"})

# %% [markdown]
# The method averages runs, so that its answer depends less on the seed. How much less: disjoint groups of these runs
# are averaged, and the averages compared.

# %% tags=["remove-input"]
alike = run_agreement(ends, options["keep_share"], (1, 2, 5))
chance = chance_jaccard(n, options["keep_share"])
table(
    alike,
    caption=f"Agreement of two averages of runs; top sets: best {options['keep_share']:.0%} of {n} tokens, "
    f"of which two random sets have a Jaccard index of {chance:.2f}",
    formats=dict.fromkeys(("spearman", "least", "greatest"), "{:+.2f}") | {"jaccard of top sets": "{:.2f}"},
)

# %% tags=["remove-input"]
few, *_, many = alike.to_dict("records")
Markdown(
    f"On this prompt two single runs agree with a mean rank correlation of {few['spearman']:+.2f} (from "
    f"{few['least']:+.2f} to {few['greatest']:+.2f} over {few['pairs']} pairs), two averages of "
    f"{many['runs averaged']} runs with {many['spearman']:+.2f} ({many['pairs']} pairs). "
    f"{int(ends.stopped.sum())} of {runs} runs stopped within {max_steps} steps."
)
