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
import torch

# Under these names Inseq passes captum the number of edited prompts, or of steps, that are run together.
BATCH_OPTION = {"occlusion": "perturbations_per_eval", "integrated_gradients": "internal_batch_size"}


def main() -> None:
    """Answer the question: for every method the scores, the ids they belong to, and the median seconds."""
    question = json.load(sys.stdin)
    torch.set_num_threads(question["threads"])
    answers = {method: answer(method, question) for method in question["methods"]}
    print(json.dumps(answers))


def answer(method: str, question: dict[str, Any]) -> dict[str, Any]:
    """One method: a warm-up with every batch size, then the repetitions with the fastest of them."""
    # Inseq asks for eager attention by default; "sdpa" is what we run, so that attention is not what differs.
    model = inseq.load_model(
        question["folder"], method, device=question["device"],
        model_kwargs={"attn_implementation": "sdpa", "dtype": torch.float32},
    )  # fmt: skip

    def attribute(batch: int) -> Any:
        return model.attribute(
            question["prompt"], question["prompt"] + question["target"], attributed_fn="probability",
            include_eos_baseline=True, show_progress=False, **{BATCH_OPTION[method]: batch},
            **question["methods"][method],
        )  # fmt: skip

    warm = {batch: seconds(attribute, batch) for batch in question["batches"]}
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
