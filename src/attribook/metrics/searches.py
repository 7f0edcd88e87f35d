"""Searches over sets of tokens for the best value that a metric can have at all, with no scores involved.

Sets are asked many at a time, as what runs a network wants it; nothing here knows of networks. A search that follows
only the best few sets of each size, a beam, may miss the best one.
"""

from collections.abc import Callable, Sequence
from itertools import combinations

# from sets of tokens taken away, as bit masks, to p(x) - p(x without them)
Drops = Callable[[Sequence[int]], Sequence[float]]
Sets = list[tuple[int, ...]]


def extreme_aopc(drops: Drops, n: int, sign: int, width: int | None) -> float:
    """The largest AOPC over all orders of n tokens (`sign` 1), or the smallest (-1).

    The drop of a set does not depend on the order in which it was taken away, so the best way to every set of k + 1
    tokens begins with the best way to one of k. With a `width` only that many sets of each size are followed.
    """
    best = {0: 0.0}  # set -> sum of drops on the best way to it
    for _ in range(n):
        reached: dict[int, float] = {}
        for taken, total in best.items():
            for more in (taken | 1 << i for i in range(n) if not taken >> i & 1):
                if more not in reached or sign * total > sign * reached[more]:
                    reached[more] = total
        totals = {taken: reached[taken] + drop for taken, drop in zip(reached, drops(list(reached)), strict=True)}
        best = dict(sorted(totals.items(), key=lambda item: -sign * item[1])[:width])
    return best[2**n - 1] / n


def best_set(value: Callable[[Sets], list[float]], n: int, k: int, sign: int, width: int | None) -> tuple[float, int]:
    """The best value of a set of k of n tokens (`sign` 1: the largest), and how many sets were asked.

    Without a `width` all sets are asked; with one, that many sets of each size are followed and each is widened by
    every token that it lacks.
    """
    if width is None:
        sets = list(combinations(range(n), k))
        return max(value(sets), key=lambda found: sign * found), len(sets)
    followed: Sets = [()]
    asked, values = 0, value(followed)
    for _ in range(k):
        wider = {tuple(sorted((*chosen, more))) for chosen in followed for more in range(n) if more not in chosen}
        sets = sorted(wider)
        values, asked = value(sets), asked + len(sets)
        order = sorted(range(len(sets)), key=lambda i: -sign * values[i])[:width]
        followed, values = [sets[i] for i in order], [values[i] for i in order]
    return values[0], asked
