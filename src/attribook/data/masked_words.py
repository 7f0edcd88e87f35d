"""Every subset of masked words of short sentences, as six published classifiers judged them: NAOPC's own outputs.

With them a metric over word masking is checked against stored values without a model. They are not part of this
project: `$ATTRIBOOK_DATA` holds them under `golden/naopc`, one file for a data set and a classifier, with all that is
known of them in `SOURCE.md`. The source is the repository JoakimEdin/naopc (MIT).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from attribook.errors import AttribookError
from attribook.paths import data_home

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MaskedSentence:
    """One sentence of n words under one classifier; sets of masked words are bit masks, word 0 the lowest bit."""

    id: int
    probability: Numbers  # (2^n,) of class 1, by the set of masked words
    scores: Mapping[str, Numbers]  # method -> (n,), NaN where the method failed
    comprehensiveness: Mapping[str, float]  # stored AOPC of each method
    sufficiency: Mapping[str, float]
    upper: float  # stored limits of AOPC
    lower: float
    upper_floored: bool  # the stored upper limit is known to be too high
    aligned: bool  # scores are of the same words as the sets

    @property
    def words(self) -> int:
        """How many words can be masked."""
        return len(self.probability).bit_length() - 1


def masked_words_folder() -> Path | None:
    """Where the files are; None where `$ATTRIBOOK_DATA` is not set or does not hold them."""
    home = data_home()
    folder = home / "golden" / "naopc" if home else None
    return folder if folder is not None and folder.is_dir() else None


def load_masked_words(name: str) -> list[MaskedSentence]:
    """Sentences of one file, such as `sst2__roberta-base-imdb`. Raises: AttribookError where it is not there."""
    folder = masked_words_folder()
    if folder is None or not (folder / f"{name}.npz").is_file():
        raise AttribookError(f"There is no golden/naopc/{name}.npz under $ATTRIBOOK_DATA. Set it to the data's folder.")
    with np.load(folder / f"{name}.npz") as file:
        arrays = dict(file)
    return [sentence(arrays, row) for row in range(len(arrays["id"]))]


def sentence(arrays: Mapping[str, NDArray], row: int) -> MaskedSentence:
    """One sentence out of arrays in which all are laid end to end."""
    sets = slice(*arrays["lut_start"][row : row + 2])
    words = slice(*arrays["word_start"][row : row + 2])
    margin = arrays["logit_neg"][sets].astype(np.float64) - arrays["logit_pos"][sets].astype(np.float64)
    methods = [str(method) for method in arrays["method"]]
    return MaskedSentence(
        id=int(arrays["id"][row]),
        probability=1 / (1 + np.exp(margin)),
        scores=dict(zip(methods, arrays["word_scores"][:, words].astype(np.float64), strict=True)),
        comprehensiveness=dict(zip(methods, arrays["stored_comp"][:, row].tolist(), strict=True)),
        sufficiency=dict(zip(methods, arrays["stored_suff"][:, row].tolist(), strict=True)),
        upper=float(arrays["upper_limit"][row]),
        lower=float(arrays["lower_limit"][row]),
        upper_floored=bool(arrays["upper_floored"][row]),
        aligned=bool(arrays["scores_aligned"][row]),
    )
