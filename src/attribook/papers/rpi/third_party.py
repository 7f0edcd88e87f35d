"""RPI's printed numbers of other methods beside those that the authors of one of them saved: no model is needed.

Five of RPI's baselines were measured by the authors of sequential integrated gradients (SIG) on classifiers of the same
names and the same two data sets, with the same three metrics. Numbers come from the stored table, which was made of the
released file; where there is none, from the file.
"""

import pandas as pd

from attribook.errors import AttribookError
from attribook.grid.keys import digest
from attribook.grid.store import Store
from attribook.papers.cells import published
from attribook.papers.rpi.sig_released import SHA256, sig_values
from attribook.paths import data_home, results_folder

VERSION = 1
REFERENCES = ("mask", "pad")
MODELS = {"bert": "BERT", "roberta": "RoBERTa", "distilbert": "DistilBERT"}
DATA = {"sst2": "SST2", "rotten": "RTN"}
METHODS = {"deep_lift": "deeplift"}  # where their name is not ours
ASKED = ("sufficiency", "log_odds", "comprehensiveness")
CELL = ["dataset", "model", "metric", "method"]
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
    saved = sig_values()
    saved = saved[saved["dataset"].isin(list(DATA)) & saved["metric"].isin(ASKED) & (saved["repeat"] == 1)]
    saved = saved[saved["reference_token_inferred"].isin(REFERENCES)]
    named = saved.assign(
        dataset=saved["dataset"].map(DATA), model=saved["model"].map(MODELS), method=saved["method"].replace(METHODS)
    )
    wide = named.pivot(index=CELL, columns="reference_token_inferred", values="value").reset_index()
    return wide[wide["method"].isin(published("rpi")["method"])].dropna()[list(COLUMNS)]
