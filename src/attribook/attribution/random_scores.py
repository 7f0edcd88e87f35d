"""Random scores: the baseline of every table, in the two forms that the papers use."""

import torch
from torch import Generator, Tensor

from attribook.attribution.base import method
from attribook.errors import AttribookError
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained


@method(version=1, random=True)
def random(model: Explained, encoding: Encoding, *, generator: Generator, form: str = "uniform") -> Tensor:
    """Independent random scores: a ranking that knows nothing. It is in every table because a number without it has no
    scale. The papers divide by it.

    Formula: u_i ~ U[0, 1); `uniform` gives u, `softmax` gives softmax(u), which sums to 1 and is nearly flat
        (two scores differ at most by the factor e): the random baseline of ReAGent's released code.
    Shapes:  (T,).
    Range:   0 to 1, higher is more important, without meaning.
    Raises:  AttribookError for an unknown form.
    Source:  the random baseline of ReAGent's released evaluation, casszhao/ReAGent.
    Differs: The released code of ReAGent draws the softmax form, once for each method; here it is drawn once for each
        prompt and seed, and all methods of a table are divided by the same draws.
    """
    del model
    u = torch.rand(len(encoding), generator=generator, dtype=torch.float64)
    if form == "uniform":
        return u
    if form == "softmax":
        return u.softmax(0)
    raise AttribookError(f"Unknown form {form!r} of random. Choose uniform or softmax.")
