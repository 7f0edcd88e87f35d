"""Top sets: the highest-scored tokens of a prompt, how far two methods' sets overlap, and what they hit."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, combinations_with_replacement, product
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd

from attribook.data.datasets import load_dataset
from attribook.errors import AttribookError
from attribook.grid.live import Live
from attribook.grid.store import Row
from attribook.grid.study import Study
from attribook.statistics.mass import mean_shares

TopSets = dict[str, dict[str, list[set[int]]]]  # item -> method -> one set a seed


def top_size(n: int, share: float) -> int:
    """How many of n tokens a top set has."""
    if not 0 < share <= 1:
        raise AttribookError(f"A top share lies above 0 and is at most 1, not {share}.")
    return math.ceil(share * n - 1e-9)  # 0.28 * 25 is above 7


def top_set(scores: Sequence[float], places: Sequence[int], share: float) -> set[int]:
    """The ceil(share n) highest-scored of n places; of equal ones the first. Raises: AttribookError for a bad share."""
    size = top_size(len(places), share)
    values = np.array(scores)[list(places)]
    if not np.isfinite(values).all():
        raise AttribookError("A score is NaN or infinite, so the tokens have no order.")
    return {places[i] for i in np.argsort(-values, kind="stable")[:size].tolist()}


def top_sets(rows: Iterable[Row], share: float) -> TopSets:
    """Top sets of stored score rows, of the tokens that at least one method scores: special tokens have 0 in all."""
    by_item: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_item[row["item"]].append(row)
    found: TopSets = {}
    for item, group in by_item.items():
        if len({row.get("step", 0) for row in group}) > 1:
            raise AttribookError(f"{item} is explained at several steps of its continuation: choose one of them.")
        places = np.any([row["scores"] for row in group], axis=0).nonzero()[0].tolist()
        sets: dict[str, list[set[int]]] = defaultdict(list)
        for row in sorted(group, key=lambda row: row["seed"]):
            sets[row["method"]].append(top_set(row["scores"], places, share))
        found[item] = dict(sets)
    return found


def jaccard(a: set[int], b: set[int]) -> float:
    """|a and b| / |a or b|, from 0 (disjoint) to 1 (equal)."""
    return len(a & b) / len(a | b)


def chance_jaccard(n: int, share: float) -> float:
    """Expected Jaccard index of two random sets of k = ceil(share n) of n tokens.

    Formula: sum_i C(k, i) C(n - k, k - i) / C(n, k) * i / (2 k - i), i the number of tokens in both.
    """
    k = top_size(n, share)
    ways = (math.comb(k, i) * math.comb(n - k, k - i) * i / (2 * k - i) for i in range(k + 1))
    return sum(ways) / math.comb(n, k)


def overlap_table(sets: TopSets, *, seed: int = 0) -> pd.DataFrame:
    """Mean Jaccard index of two methods' top sets, a row for each pair, with a 95% bootstrap interval over prompts.

    Each prompt counts once: the mean over all pairs of seeds. A random method is also paired with itself under
    other seeds: no two methods can be asked to agree more than one agrees with itself.
    """
    found = []
    for item, methods in sets.items():
        for one, other in combinations_with_replacement(methods, 2):
            pairs = combinations(methods[one], 2) if one == other else product(methods[one], methods[other])
            values = [jaccard(a, b) for a, b in pairs]
            name = f"{one}, itself with another seed" if one == other else f"{one}, {other}"
            if values:
                found.append({"item": item, "method": name, "jaccard": fmean(values), "status": "ok"})
    table = mean_shares(pd.DataFrame(found), "jaccard", seed=seed).drop(columns="failed")
    return table.rename(columns={"method": "methods", "share": "jaccard"})


def antecedent_table(rows: Iterable[Row], share: float, *, seed: int = 0) -> pd.DataFrame:
    """How often a top set has a token of the antecedent (`hit`), and what part of it (`covered`), by method.

    Means over prompts that have an antecedent, each the mean over its seeds, with 95% bootstrap intervals.
    """
    rows = [row for row in rows if row["spans"].get("antecedent")]
    if not rows:
        raise AttribookError("None of these prompts has an antecedent, so nothing can be hit.")
    spans = {row["item"]: set(row["spans"]["antecedent"]) for row in rows}
    found = [
        {"item": item, "method": method, "status": "ok", "hit": fmean(bool(spans[item] & top) for top in tops),
         "covered": fmean(len(spans[item] & top) / len(spans[item]) for top in tops)}
        for item, methods in top_sets(rows, share).items()
        for method, tops in methods.items()
    ]  # fmt: skip
    parts = [mean_shares(pd.DataFrame(found), part, seed=seed) for part in ("hit", "covered")]
    table = parts[0].merge(parts[1], on=["method", "n"], suffixes=(" hit", " covered"))
    names = {f"share {part}": part for part in ("hit", "covered")}
    columns = ["method", *(f"{x} {part}" for part in ("hit", "covered") for x in ("share", "low", "high")), "n"]
    return table[columns].rename(columns=names)


def marked_example(rows: Iterable[Row], item: str, share: float) -> dict[str, tuple[list[str], set[int]]]:
    """One prompt's tokens with the places to mark: its antecedent where it has one, then each method's first seed."""
    rows = [row for row in rows if row["item"] == item]
    tokens, antecedent = rows[0]["tokens"], set(rows[0]["spans"].get("antecedent", []))
    texts = {"antecedent": (tokens, antecedent)} if antecedent else {}
    return texts | {method: (tokens, tops[0]) for method, tops in top_sets(rows, share)[item].items()}


def score_studies(
    datasets: str, profile: str, model: str, methods: tuple[str, ...], *, start: int, **given: Any
) -> dict[str, Study]:
    """A study of scores for each data set of a list with commas.

    Of a set without gold words every item is kept, and what is explained is token `start` of the greedy continuation.
    The studies bear the names of the paper's Table 2, `reagent_longra` and so on, so that rows computed for it serve
    here.
    """
    found = {}
    for dataset in datasets.replace(",", " ").split():
        open_ended = load_dataset(dataset)[0].gold is None
        how = {"keep": "all", "continuation": 2 * start, "start": start, "stride": start} if open_ended else {}
        name = f"reagent_{dataset.split('-')[0]}"
        found[dataset] = Study(name, profile, model, dataset, "attribook", methods, **given | how)
    return found


def marked_live(live: Live, share: float) -> dict[str, tuple[list[str], set[int]]]:
    """A prompt explained on the spot, with the places to mark for each method."""
    places = live.encoding.attributable.nonzero()[:, 0].tolist()
    return {
        name: (live.encoding.tokens, top_set(found.scores.tolist(), places, share))
        for name, found in live.attributions.items()
    }


def cost_of_scores(rows: Iterable[Row]) -> pd.DataFrame:
    """By method: prompts forwarded and seconds a score vector, and how many of ReAGent's runs met its stopping test."""
    frame = pd.DataFrame(
        {"method": row["method"], "forwards": row["forwards"], "seconds": row["seconds"],
         "runs": row["options"].get("runs"), "stopped": row["details"].get("runs_stopped")}
        for row in rows
    )  # fmt: skip
    groups = frame.groupby("method", sort=False)
    found = groups[["forwards", "seconds"]].mean()
    return found.assign(**{"runs that stopped": groups["stopped"].sum() / groups["runs"].sum()}).reset_index()


def targets_table(rows: Mapping[str, Sequence[Row]], named: int = 4) -> pd.DataFrame:
    """For each data set: its prompts, the most frequent targets, and those without a letter or digit, or `<|...|>`."""
    found = []
    for dataset, scored in rows.items():
        targets = {row["item"]: row["target"] for row in scored}
        counts = Counter(target.strip() or repr(target) for target in targets.values())
        no_word = sum(not any(map(str.isalnum, target)) or target.startswith("<|") for target in targets.values())
        said = ", ".join(f"{target} ({count})" for target, count in counts.most_common(named))
        found.append({"data set": dataset, "n": len(targets), "most frequent targets": said, "no word": no_word})
    return pd.DataFrame(found)
