"""RPI's printed numbers of other methods beside those that the authors of one of them saved: no model is needed.

Five of RPI's baselines were measured by the authors of sequential integrated gradients (SIG) on classifiers of the same
names and the same two data sets, with the same three metrics. What they saved (MIT) are means over sentences, no text.
Which reference token a block of it used is not stated there; pad for the first and mask for the second follow from when
the option appeared.
"""

import io

import pandas as pd

from attribook.grid.keys import digest
from attribook.papers.cells import published
from attribook.papers.released import ReleasedTable, released_file

FILE = "golden/tint_nlp/results_tidy.csv"
SHA256 = "902453e9a197c96177d912915453d9417d2c5bdbba3991b55855de83721a4b2e"
SOURCE = "josephenguehard/time_interpret, experiments/nlp/results.csv, commit ebef73615dda67e4c9bd42d3bac81cce6607280f"
VERSION = 1
REFERENCES = ("mask", "pad")
MODELS = {"bert": "BERT", "roberta": "RoBERTa", "distilbert": "DistilBERT"}
DATA = {"sst2": "SST2", "rotten": "RTN"}
METHODS = {"deep_lift": "deeplift"}  # where their name is not ours
ASKED = ("sufficiency", "log_odds", "comprehensiveness")
CELL = ["dataset", "model", "metric", "method"]


def sig_values() -> pd.DataFrame:
    """A row for each value: model, dataset, method, metric, value, block, reference_token_inferred, repeat, checkpoint.

    Raises: AttribookError if the file is not there or not the registered one.
    """
    return pd.read_csv(io.BytesIO(released_file(FILE, SHA256, SOURCE)))


def saved_values() -> pd.DataFrame:
    """Their values by our names, a column for each reference token."""
    saved = sig_values()
    saved = saved[saved["dataset"].isin(list(DATA)) & saved["metric"].isin(ASKED) & (saved["repeat"] == 1)]
    saved = saved[saved["reference_token_inferred"].isin(REFERENCES)]
    named = saved.assign(
        dataset=saved["dataset"].map(DATA), model=saved["model"].map(MODELS), method=saved["method"].replace(METHODS)
    )
    wide = named.pivot(index=CELL, columns="reference_token_inferred", values="value").reset_index()
    return wide[wide["method"].isin(published("rpi")["method"])].dropna()


# Columns: what names one of RPI's printed cells, and their values with the mask and with the pad token as reference.
SIG = ReleasedTable(
    "rpi_third_party", digest("third party", SHA256, VERSION), (*CELL, *REFERENCES), words=CELL, made=saved_values
)
