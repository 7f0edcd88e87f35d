"""Metric values that the authors of sequential integrated gradients saved for their own paper's classifiers (MIT).

Read from `golden/tint_nlp` under `$ATTRIBOOK_DATA`: means over sentences, no text. Which reference token a block of the
source used is not stated there; pad for the first and mask for the second follow from when the option appeared.
"""

import hashlib
import io

import pandas as pd

from attribook.errors import AttribookError
from attribook.paths import data_home

FILE = "golden/tint_nlp/results_tidy.csv"
SHA256 = "902453e9a197c96177d912915453d9417d2c5bdbba3991b55855de83721a4b2e"
SOURCE = "josephenguehard/time_interpret, experiments/nlp/results.csv, commit ebef73615dda67e4c9bd42d3bac81cce6607280f"


def sig_values() -> pd.DataFrame:
    """A row for each value: model, dataset, method, metric, value, block, reference_token_inferred, repeat, checkpoint.

    Raises: AttribookError if the file is not there or not the registered one.
    """
    folder = data_home()
    if folder is None or not (folder / FILE).is_file():
        raise AttribookError(
            f"The values of time_interpret are not part of attribook. Put {FILE} (made from {SOURCE}) into a folder "
            "and name that folder in $ATTRIBOOK_DATA."
        )
    content = (folder / FILE).read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise AttribookError(f"{folder / FILE} is not the registered file. Bring it again from its source: {SOURCE}.")
    return pd.read_csv(io.BytesIO(content))
