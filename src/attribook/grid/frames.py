"""The one tidy frame: a row for one number, whatever kind of study it comes from.

Columns: study, profile, protocol, model, dataset, item, step, method, variant, seed, draw, metric, value, status. In
frames of pools `map` stands in the place of `draw`, and `kind` tells maps that were drawn, a method's own map beside
noisy copies of it, and the mean of the first maps apart. `method` is a method with its options, `variant` what was done
to its scores, "" for nothing.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from attribook.grid.settings import Setting

FIXED = ["study", "profile", "protocol", "model", "dataset"]
COLUMNS = [*FIXED, "item", "step", "method", "variant", "seed", "draw", "metric", "value", "status"]
POOL_COLUMNS = [*FIXED, "item", "method", "seed", "kind", "map", "metric", "value", "status"]
ONE_MAP, OWN_MAP, MEAN_OF_MAPS = "map", "own map", "mean of maps"
NESTED = (1, 2, 4, 8, 16, 24, 32)  # of how many first maps of a pool the mean is judged: RPI, Table 5


def tidy(rows: pd.DataFrame, **fixed: Any) -> pd.DataFrame:
    """Metric rows of a study with the columns of the tidy frame alone; `fixed`: those that are the same in all."""
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS)
    names = rows["method"].str.partition(":")
    frame = rows.assign(method=names[0], variant=names[2], **fixed)
    return frame.assign(value=pd.to_numeric(frame["value"]).where(frame["status"] == "ok"))[COLUMNS]


def tidy_pool(rows: pd.DataFrame, sizes: list[int], **fixed: Any) -> pd.DataFrame:
    """Rows of judged pools, whose cells hold a number for each map, as a tidy frame.

    `map` counts the maps of a pool from 0; of `mean of maps` it is how many of the first maps were averaged: `sizes`.
    Map 0 is an `own map` where the others are noisy copies of it.
    """
    if rows.empty:
        return pd.DataFrame(columns=POOL_COLUMNS)
    parts = []
    for kind, column in ((ONE_MAP, "values"), (MEAN_OF_MAPS, "means")):
        long = rows.assign(value=rows[column].str.split(), **fixed).explode("value", ignore_index=True)
        places = long.groupby(["method", "metric", "item", "seed"], sort=False).cumcount()
        parts.append(long.assign(kind=kind, map=places if kind == ONE_MAP else places.map(dict(enumerate(sizes)))))
    frame = pd.concat(parts, ignore_index=True)
    own = (
        (frame["kind"] == ONE_MAP) & (frame["map"] == 0) & frame["method"].map(lambda name: Setting.parse(name).own_map)
    )
    frame["kind"] = frame["kind"].mask(own, OWN_MAP)
    return frame.assign(value=pd.to_numeric(frame["value"]), seed=pd.to_numeric(frame["seed"]))[POOL_COLUMNS]


def tidy_answers(rows: pd.DataFrame, **fixed: Any) -> pd.DataFrame:
    """A judge's answers as a tidy frame of the metrics of answerability; `variant` is the selection of words.

    Formula: rate 100 c; score c * mass of the kept words; c whether the answer is right, or, for metrics that end in
        `_top5`, one of five candidates. A prompt whose judge gave no candidates has the status `no candidates` there.
    Source:  Noiser, section 4.4, tables 3 and 6.
    """
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS)
    found = []
    for column, ending in (("correct", ""), ("among", "_top5")):
        right = pd.to_numeric(rows[column])
        status = rows["status"].where((rows["status"] != "ok") | right.notna(), "no candidates")
        values: Mapping[str, pd.Series] = {"rate": 100 * right, "score": right * pd.to_numeric(rows["value"])}
        for metric, value in values.items():
            name = f"answerability_{metric}{ending}"
            one = rows.assign(variant=rows["selection"], step=0, draw=0, metric=name, status=status, **fixed)
            found.append(one.assign(value=value.where(status == "ok")))
    return pd.concat(found, ignore_index=True)[COLUMNS]
