"""How far methods agree on the order of a prompt's tokens."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from attribook.grid.store import Row


def agreement(rows: Iterable[Row]) -> pd.DataFrame:
    """Spearman's rank correlation of every two methods' scores, averaged over prompts and seeds; methods both ways.

    Equal scores share the mean of their ranks. Range: -1 to 1; 1 is the same order. A prompt for which one method gives
    every token the same score has no correlation and is left out of that pair; NaN where none is left.
    """
    frame = pd.DataFrame(rows)
    names = list(dict.fromkeys(frame["method"]))
    found = []
    for _, group in frame.groupby(["item", "seed"]):
        vectors = pd.DataFrame(dict(zip(group["method"], group["scores"], strict=True)), columns=names, dtype=float)
        found.append(vectors.rank().corr().to_numpy())
    stack = np.ma.masked_invalid(np.stack(found))  # (prompts, methods, methods)
    return pd.DataFrame(stack.mean(0).filled(np.nan), index=names, columns=names)
