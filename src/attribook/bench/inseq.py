"""Inseq's side of `attribook bench`, run by the Python of Inseq's own environment: imports nothing of ours.

Reads one JSON question on standard input; the last line of standard output is the JSON answer.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import inseq
import inseq.attr.feat.ops.reagent
import torch

# Under these names Inseq passes captum the number of edited prompts, or of steps, that are run together.
BATCH_OPTION = {"occlusion": "perturbations_per_eval", "integrated_gradients": "internal_batch_size"}
AT_LOADING = {"reagent"}  # methods whose options Inseq takes when it loads the model


class UniformSampler:
    """Any token of the vocabulary; Inseq's own sampler wants data of a tagger, which it downloads."""

    def __init__(self, tokenizer: Any, device: Any = None, **_: Any) -> None:
        self.size, self.device = len(tokenizer), device

    def __call__(self, ids: torch.Tensor) -> torch.Tensor:
        """Random tokens in the shape of `ids`."""
        return torch.randint(self.size, ids.shape, device=self.device)


inseq.attr.feat.ops.reagent.POSTagTokenSampler = UniformSampler


def main() -> None:
    """Answer the question: for every method the scores, the ids they belong to, and the median seconds."""
    question = json.load(sys.stdin)
    torch.set_num_threads(question["threads"])
    answers = {method: answer(method, question) for method in question["methods"]}
    print(json.dumps(answers))


def answer(method: str, question: dict[str, Any]) -> dict[str, Any]:
    """One method: a warm-up with every batch size, then the repetitions with the fastest of them."""
    # Inseq asks for eager attention by default; "sdpa" is what we run, so that attention is not what differs.
    options = question["methods"][method]
    at_loading, called_with = (options, {}) if method in AT_LOADING else ({}, options)
    model = inseq.load_model(
        question["folder"], method, device=question["device"],
        model_kwargs={"attn_implementation": "sdpa", "dtype": torch.float32}, **at_loading,
    )  # fmt: skip

    def attribute(batch: int) -> Any:
        sized = {BATCH_OPTION[method]: batch} if method in BATCH_OPTION else {}
        return model.attribute(
            question["prompt"], question["prompt"] + question["targets"][method], attributed_fn="probability",
            include_eos_baseline=True, show_progress=False, **sized, **called_with,
        )  # fmt: skip

    batches = question["batches"] if method in BATCH_OPTION else question["batches"][:1]
    warm = {batch: seconds(attribute, batch) for batch in batches}
    batch = min(warm, key=lambda size: warm[size])
    spent = [seconds(attribute, batch) for _ in range(question["repeats"])]
    return {**scores(attribute(batch)), "seconds": statistics.median(spent), "batch": batch}


def seconds(attribute: Callable[[int], Any], batch: int) -> float:
    """Wall seconds of one call."""
    start = time.perf_counter()
    attribute(batch)
    return time.perf_counter() - start


def scores(out: Any) -> dict[str, Any]:
    """Raw scores of the prompt's tokens, summed over the embedding width where there is one, and all ids."""
    found = out.sequence_attributions[0]
    raw = found.target_attributions[:-1, 0].double()  # (T,) or (T, D); the last row is the target's own
    total = raw.sum(-1) if raw.dim() == 2 else raw
    return {"scores": total.tolist(), "ids": [int(token.id) for token in found.target]}


if __name__ == "__main__":
    main()
