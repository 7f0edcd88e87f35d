"""captum on the same network, in this process."""

from functools import partial
from importlib.util import find_spec

import torch
from torch import Tensor

from attribook.bench.agreement import Run, wall_seconds
from attribook.bench.comparisons import BATCHES, STEPS
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained


def captum_run(method: str, model: Explained, encoding: Encoding) -> Run | str:
    """A call that gives captum's scores `(T,)` with the faster batch size, or why there is none."""
    if find_spec("captum") is None:
        return "captum is not installed"
    runs = [partial(captum_scores, method, model, encoding, batch) for batch in BATCHES]
    return min(runs, key=wall_seconds)


def captum_scores(method: str, model: Explained, encoding: Encoding, batch: int) -> Tensor:
    """Scores `(T,)` by captum, on the same network; as in ours, logits at the last position only."""
    from captum.attr import FeatureAblation, IntegratedGradients

    def forward(embeds: Tensor) -> Tensor:
        logits = model.network(inputs_embeds=embeds, use_cache=False, logits_to_keep=1).logits[:, -1]
        return logits.softmax(-1)[:, encoding.target]

    embeds = model.embed(encoding.ids)[None]  # (1, T, D)
    zero = torch.zeros_like(embeds)
    if method == "occlusion":
        places = torch.arange(len(encoding), device=embeds.device)[None, :, None].expand_as(embeds)
        found = FeatureAblation(forward).attribute(
            embeds, baselines=zero, feature_mask=places, perturbations_per_eval=batch
        )
        return found[0, :, 0].double().cpu()  # a token's score stands at each of its D places
    found = IntegratedGradients(forward).attribute(
        embeds, baselines=zero, n_steps=STEPS, method="gausslegendre", internal_batch_size=batch
    )
    return found[0].double().sum(-1).detach().cpu()
