"""RPI's printed numbers of other methods beside those that the authors of one of them saved: no model is needed.

Five of RPI's baselines were measured by the authors of sequential integrated gradients (SIG) on classifiers of the same
names and the same two data sets, with the same three metrics. Numbers come from the stored table, which was made of the
released file; where there is none, from the file.
"""

import pandas as pd

from attribook.errors import AttribookError
from attribook.grid.keys import digest
from attribook.grid.store import Store
from attribook.papers.cells import METRICS, published
from attribook.papers.rpi.sig_released import SHA256, sig_values
from attribook.paths import data_home, results_folder
from attribook.statistics.bootstrap import student_interval

VERSION = 1
REFERENCES = ("mask", "pad")
MODELS = {"bert": "BERT", "roberta": "RoBERTa", "distilbert": "DistilBERT"}
DATA = {"sst2": "SST2", "rotten": "RTN"}
METHODS = {"deep_lift": "deeplift"}  # where their name is not ours
ASKED = ("sufficiency", "log_odds", "comprehensiveness")
CELL = ["dataset", "model", "metric", "method"]
COLUMN = CELL[:3]
COLUMNS = (*CELL, *REFERENCES)


def third_party_table() -> pd.DataFrame:
    """A row for each of RPI's printed cells that SIG's authors measured too: dataset, model, metric, method, printed,
    and theirs with the mask and with the pad token as reference.

    Raises: AttribookError where neither the file nor stored rows are there.
    """
    store = Store(results_folder() / "original" / "rpi_third_party" / "rows.csv", COLUMNS)
    key = digest("third party", SHA256, VERSION)
    if key not in store:
        if data_home() is None:
            raise AttribookError("There are no stored rows of SIG's values. Name the data in $ATTRIBOOK_DATA.")
        with store.writing():
            store.append(
                key, [{str(name): value for name, value in row.items()} for row in computed().to_dict("records")]
            )
    frame = pd.DataFrame(store[key])[list(COLUMNS)]
    frame[list(REFERENCES)] = frame[list(REFERENCES)].apply(pd.to_numeric)
    cells = published("rpi").query("table == 2")[[*CELL, "value"]].rename(columns={"value": "printed"})
    return cells.merge(frame, on=CELL, how="inner", validate="one_to_one")


def computed() -> pd.DataFrame:
    """Their values by our names, a column for each reference token."""
    told = sig_values()
    told = told[told["dataset"].isin(list(DATA)) & told["metric"].isin(ASKED) & (told["repeat"] == 1)]
    told = told[told["reference_token_inferred"].isin(REFERENCES)]
    named = told.assign(
        dataset=told["dataset"].map(DATA), model=told["model"].map(MODELS), method=told["method"].replace(METHODS)
    )
    wide = named.pivot(index=CELL, columns="reference_token_inferred", values="value").reset_index()
    return wide[wide["method"].isin(published("rpi")["method"])].dropna()[list(COLUMNS)]


def agreement_table(frame: pd.DataFrame) -> pd.DataFrame:
    """By metric and reference: how far printed numbers lie from theirs, and whether both order the methods alike.

    `median apart`: of |printed - theirs|; `difference`: mean of printed - theirs over columns, a column being one
    classifier on one data set, with its 95% interval by Student's t, as resamples of so few would be too alike;
    `order`: mean Spearman correlation of the methods within a column; `same best`, `same order`: columns.
    """
    lines = []
    for metric in ASKED:
        for reference in REFERENCES:
            mine = frame[frame["metric"] == metric]
            apart = mine["printed"] - mine[reference]
            columns = [column for _, column in mine.groupby(COLUMN)]
            means = apart.groupby([mine[name] for name in COLUMN]).mean().to_numpy()
            value, low, high = student_interval(means)
            orders = [column["printed"].rank().corr(column[reference].rank()) for column in columns]
            lines.append(
                {
                    "metric": metric, "reference": reference, "cells": len(mine), "median apart": apart.abs().median(),
                    "difference": value, "low": low, "high": high, "order": sum(orders) / len(orders),
                    "same order": sum(order > 1 - 1e-9 for order in orders),
                    "same best": sum(best(column, "printed") == best(column, reference) for column in columns),
                    "columns": len(columns),
                }
            )  # fmt: skip
    return pd.DataFrame(lines)


def best(column: pd.DataFrame, name: str) -> str:
    """The best method of a column."""
    lower = METRICS[column["metric"].iloc[0]].better == "lower"
    return str(column.sort_values(name, ascending=lower)["method"].iloc[0])


def third_party_told(frame: pd.DataFrame) -> str:
    """What the comparison says, by metric, for the reference token that RPI uses."""
    table = agreement_table(frame).query("reference == 'mask'")
    said = []
    for line in table.to_dict("records"):
        side = "above" if line["low"] > 0 else "below" if line["high"] < 0 else "not told from"
        said.append(
            f"**{line['metric']}**: {line['median apart']:.3f} apart in the median, printed numbers on average {side} "
            f"theirs ({line['difference']:+.3f}, {line['low']:+.3f} to {line['high']:+.3f}); the five methods come in "
            f"the same order in {line['same order']} of {line['columns']} columns, with the same one first in "
            f"{line['same best']}"
        )
    return f"{len(frame)} cells; those with the mask token as reference, as RPI has it: " + "; ".join(said) + "."
