"""Noiser's tables 3 and 6 and figure 4 from a judge's stored answers: rates, scores, controls, correlations."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from attribook.grid.judged import CONTROL, MINIMUM, JudgeStudy
from attribook.metrics.questions import question
from attribook.papers.cells import published
from attribook.statistics.bootstrap import Estimate, combined, interval_of, mean_interval, per_item, resampled_means

TOP5 = {False: "", True: "_top5"}
SHOWN = {"none": "no words", "random": "random words", "first": "first words"}
KNOWNS, LONGRA = ("noiser_knowns", "noiser-paper"), ("reagent_longra", "attribook")  # where a task's scores lie


def judge_study(
    task: str, profile: str, model: str, dataset: str, methods: tuple[str, ...], judge: str, *, least: bool = False,
    **given: int | str | float,
) -> JudgeStudy:  # fmt: skip
    """Answers of one judge to one task's stored scores; `least`: with how few words it still answers."""
    source, protocol = {"Knowns": KNOWNS, "LongRA": LONGRA}[task]
    name = f"{source}_{'minimum' if least else 'judged'}_{judge.strip('/').replace('/', '-').replace('-', '_')}"
    more = {"selections": (MINIMUM,)} if least else {}
    return JudgeStudy(name, profile, model, dataset, protocol, methods, source=source, judge=judge, **more, **given)  # type: ignore[arg-type]


def answer_metrics(rows: pd.DataFrame, selection: str = "top") -> pd.DataFrame:
    """Answers as rows of the paper's metrics: rate in percent, score, and the same among the five best candidates.

    Formula: rate 100 c; score c * mass of the kept words; c whether the answer is right, or a candidate. A prompt
        whose judge told no candidates has the status `no candidates` under the latter.
    Source:  Noiser, section 4.4, tables 3 and 6.
    """
    mine = rows[rows["selection"] == selection]
    found = []
    for column, ending in (("correct", ""), ("among", "_top5")):
        right = pd.to_numeric(mine[column])
        status = mine["status"].where((mine["status"] != "ok") | right.notna(), "no candidates")
        for metric, value in (("rate", 100 * right), ("score", right * pd.to_numeric(mine["value"]))):
            name = f"answerability_{metric}{ending}"
            value = value.where(status == "ok")
            found.append(mine[["item", "method", "seed"]].assign(metric=name, draw=0, value=value, status=status))
    return pd.concat(found, ignore_index=True)


def answer_table(rows: pd.DataFrame, *, top5: bool = False, task: str = "Knowns") -> pd.DataFrame:
    """Each method's rate and score beside the printed ones, its gain over random words, and its least important words.

    `gain`: the rate minus that of as many random words of the same prompts, in percentage points, with the 95% interval
    of a paired bootstrap over prompts. `bottom`: the rate with as many of the least important words. The printed
    numbers are of Knowns: beside another `task` there are none.
    """
    rate, score = (f"answerability_{name}{TOP5[top5]}" for name in ("rate", "score"))
    top, bottom, random = (answer_metrics(rows, name) for name in ("top", "bottom", "random"))
    words = per_item(random, CONTROL, rate)[0]
    cells = published("noiser").query("(metric == @rate or metric == @score) and dataset == @task")
    found = []
    for method in dict.fromkeys(top["method"]):
        printed = cells[cells["method"] == method.split("{")[0]]
        values, failed = per_item(top, method, rate)
        share, low, high = mean_interval(values.to_numpy())
        gain = combined([[(values, 1), (words, -1)]], log=False, failed=failed)
        average = printed[printed["column"] == "Average"].set_index("metric")["value"]
        found.append({
            "method": method, "published rate": average.get(rate), "rate": share, "low": low, "high": high,
            "published score": average.get(score), "score": per_item(top, method, score)[0].mean(),
            "gain": gain.value, "gain low": gain.low, "gain high": gain.high,
            "bottom": per_item(bottom, method, rate)[0].mean(), "n": gain.n, "failed": failed,
            "detectable": gain.detectable,
        })  # fmt: skip
    return pd.DataFrame(found).sort_values("rate", ascending=False, ignore_index=True)


def control_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Rates of the words that no method chose, with 95% intervals over prompts."""
    found = []
    for selection, name in SHOWN.items():
        frame = answer_metrics(rows[rows["method"] == CONTROL], selection)
        row: dict[str, object] = {"words": name}
        for title, metric in (("rate", "answerability_rate"), ("top-5 rate", "answerability_rate_top5")):
            values, failed = per_item(frame, CONTROL, metric)
            mean, low, high = mean_interval(values.to_numpy())
            row |= {title: mean, f"{title} low": low, f"{title} high": high, "n": len(values), "failed": failed}
        found.append(row)
    return pd.DataFrame(found)


def failure_table(rows: pd.DataFrame) -> pd.DataFrame:
    """How many answers have each status, by selection."""
    counts = pd.crosstab(rows["selection"], rows["status"])
    return counts.rename_axis(columns=None).reset_index()


def gains_told(found: pd.DataFrame) -> str:
    """How many methods are above and below random words, as a sentence."""
    above, below = found["gain low"] > 0, found["gain high"] < 0
    named = [f"`{name}`" for name in found.loc[above, "method"]]
    told = f"{above.sum()} of {len(found)} methods answer more than as many random words, by intervals that exclude 0"
    return f"{told}{' (' + ', '.join(named) + ')' if named else ''}; {below.sum()} answer less."


def minimum_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The figure of minimum shares: the mean share of words with which the judge was still right; the smallest first.

    Only prompts on which it is right with all words have one; `not answerable` counts the others.
    """
    found = []
    for method, mine in rows[rows["selection"] == MINIMUM].groupby("method", sort=False):
        good = mine.loc[mine["status"] == "ok", "value"].astype(float)
        mean, low, high = mean_interval(good.to_numpy()) if len(good) else (float("nan"),) * 3
        found.append({"method": method, "share": mean, "low": low, "high": high, "n": len(good),
                      "not answerable": len(mine) - len(good)})  # fmt: skip
    return pd.DataFrame(found).sort_values("share", ignore_index=True)


def example_table(rows: pd.DataFrame, item: str) -> pd.DataFrame:
    """What the judge saw of one prompt by each method and control, and what it said."""
    mine = rows[(rows["item"] == item) & ((rows["selection"] == "top") | (rows["method"] == CONTROL))]
    mine = mine[mine["seed"] == mine["seed"].min()]
    names = mine["method"].where(mine["method"] != CONTROL, mine["selection"].map(SHOWN))
    right = mine["correct"].map({1: "yes", 0: "no"}).where(mine["status"] == "ok", mine["status"])
    kept, answer = mine["kept"].fillna("").replace("", "(none)"), mine["answer"].fillna("").replace("", "(ends)")
    return pd.DataFrame({"chosen by": names, "words": kept, "answer": answer, "right": right,
                         "mass": pd.to_numeric(mine["value"]).where(mine["method"] != CONTROL)})  # fmt: skip


def faith_and_answers(soft: pd.DataFrame, rows: pd.DataFrame, methods: Sequence[str]) -> dict[str, pd.DataFrame]:
    """For every part of figure 4, items down and methods across: both soft metrics, rate and score; the same items.

    The column `random` holds the random baseline of the soft metrics.
    """
    top = answer_metrics(rows)
    names = {"soft_nc": soft, "soft_ns": soft, "answerability_rate": top, "answerability_score": top}
    parts = {}
    for metric, frame in names.items():
        whom = [*methods, CONTROL] if metric.startswith("soft") else list(methods)
        parts[metric] = pd.DataFrame({name: per_item(frame, name, metric)[0] for name in whom}).dropna()
    items = sorted(set.intersection(*(set(frame.index) for frame in parts.values())))
    return {metric: frame.loc[items] for metric, frame in parts.items()}


def figure4_points(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """A method's faithfulness, rate and score, on the items that all have."""
    ratio = [np.log(parts[name].mean() / parts[name][CONTROL].mean()) for name in ("soft_nc", "soft_ns")]
    faith = (ratio[0] + ratio[1]).drop(CONTROL)
    rate, score = (parts[f"answerability_{name}"].mean() for name in ("rate", "score"))
    found = pd.DataFrame({"faithfulness": faith, "rate": rate, "score": score})
    return found.rename_axis("method").reset_index()


def figure4_correlation(parts: Mapping[str, pd.DataFrame], what: str, *, seed: int = 0) -> Estimate:
    """Pearson's correlation over methods of faithfulness with the answerability `rate` or `score`.

    Formula: prompts are drawn with replacement, together for all methods and metrics; the interval is the percentile
        interval of the correlations, of draws in which both sides differ between methods.
    Range:   -1 to 1; NaN where no method differs from another.
    Source:  Noiser, figure 4 and section 5, which speaks of a correlation and gives none.
    """
    logs = []
    for name in ("soft_nc", "soft_ns"):
        frame = parts[name]
        with np.errstate(divide="ignore", invalid="ignore"):
            means = np.log(np.vstack([frame.mean().to_numpy(), resampled_means(frame.to_numpy(), seed)]))
        logs.append(means[:, :-1] - means[:, -1:])  # (1 + resamples, methods); random is last
    answers = parts[f"answerability_{what}"]
    ours = np.vstack([answers.mean().to_numpy(), resampled_means(answers.to_numpy(), seed)])
    value, *resampled = pearson(logs[0] + logs[1], ours)
    usable = np.array(resampled)[np.isfinite(resampled)]
    if not len(usable):
        usable = np.array([float("nan")])
    return interval_of(float(value), usable, len(answers), 0)


def pearson(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Correlation of each row of one with that of the other `(R, M)`: `(R,)`, NaN where a row is constant."""
    a, b = (each - each.mean(1, keepdims=True) for each in (one, other))
    scale = np.sqrt((a**2).sum(1) * (b**2).sum(1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(scale > 1e-12, (a * b).sum(1) / scale, np.nan)


def correlation_told(what: str, found: Estimate) -> str:
    """Such a correlation as a sentence."""
    if np.isnan(found.value):
        return f"Faithfulness and {what}: no correlation, as no method differs from another. n = {found.n}."
    decided = "above 0" if found.low > 0 else "below 0" if found.high < 0 else "not told from 0"
    return (
        f"Faithfulness and {what}, over the methods: r = {found.value:+.2f}, 95% interval {found.low:+.2f} to "
        f"{found.high:+.2f} over prompts, {decided}. n = {found.n} prompts."
    )


def share_lead(rows: pd.DataFrame, leader: str) -> pd.DataFrame:
    """A method's minimum share minus that of each other, over the prompts that both have."""
    frame = rows[rows["selection"] == MINIMUM].assign(metric=MINIMUM)
    frame["value"] = pd.to_numeric(frame["value"])
    mine = per_item(frame, leader, MINIMUM)[0]
    found = []
    for other in [name for name in frame["method"].unique() if name != leader]:
        theirs = per_item(frame, other, MINIMUM)[0]
        if len(mine.index.intersection(theirs.index)):
            lead = combined([[(mine, 1), (theirs, -1)]], log=False)
            found.append({"method": other, "difference": lead.value, "low": lead.low, "high": lead.high, "n": lead.n})
    return pd.DataFrame(found)


def prompt_shown(words: Sequence[str]) -> str:
    """What a judge is asked about some words, for a page."""
    return f"```text\n{question(words)}\n```"
