"""Speed against captum, Inseq and the machine's limit. Scores are compared first: only equal work is timed.

Each row sets one of our methods, with the options under which it computes what a peer computes, beside that
peer. Ours is timed from the text to the scores, as the prompt's own forward is part of the work. captum runs
on the same network in this process, in turns with ours; Inseq in an environment of its own, made once.
"""

import json
import os
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from attribook.attribution.base import Attribution
from attribook.attribution.registry import find_method
from attribook.bench.agreement import TOLERANCE_REASON, Row, Run, Timed, agreement, ratio, timed, unmeasured
from attribook.bench.captum_peer import captum_run
from attribook.bench.comparisons import BATCHES, COMPARISONS, Comparison
from attribook.bench.inseq_environment import called, peer_python
from attribook.bench.limit import least, matmul_rate
from attribook.bench.rpi import rpi_rows
from attribook.errors import AttribookError
from attribook.grid.work import machine_class
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained
from attribook.models.known import model_folder
from attribook.models.load import load_model
from attribook.models.registry import SOURCES

PROMPT = (
    "The train brought Mara to Norway, where a cousin met her. (The kettle in the kitchen was old, and "
    "nobody had ever repaired it.) She soon learned to speak the language of the country, which is called"
)
REPEATS = 3
ALONE = "no peer has it"


def measure(model: str, *, peers: bool, classifier: str = "") -> Row:
    """Everything that `attribook bench` reports, JSON-able.

    peers: whether Inseq is measured too. classifier: an encoder on which RPI is timed against its released schedule.
    """
    explained = load_model(model)
    encoding = explained.encode(PROMPT)
    machine = {
        "class": machine_class(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "torch": torch.__version__,
    }
    rate = matmul_rate(explained.network.device)
    inseq = inseq_answers(model, explained, encoding) if peers else "not asked for (--no-peers)"
    return {
        "machine": machine,
        "model": model,
        "prompt": PROMPT,
        "target": encoding.target_text,
        "tokens": len(encoding),
        "repeats": REPEATS,
        "matmul_gflops": rate / 1e9,
        "tolerance_reason": TOLERANCE_REASON,
        "rows": [compared(c, explained, encoding, rate, inseq) for c in COMPARISONS]
        + (list(rpi_rows(classifier, REPEATS)) if classifier else []),
        "classifier": classifier,
    }


def compared(comparison: Comparison, model: Explained, encoding: Encoding, rate: float, inseq: Row | str) -> Row:
    """One row. `inseq` holds Inseq's answers, or the reason why there are none."""
    least_tokens, operations = least(model.network, comparison.method, len(encoding))
    row = unmeasured(
        comparison.method, comparison.peer, comparison.options, comparison.note, least_tokens, operations / 1e9
    )
    try:
        peer = peer_side(comparison, model, encoding, inseq)
        target = answer(comparison, model, encoding)
        if comparison.far_fetched and attribution(comparison, model, target).details.get("runs_stopped"):
            return row | {"status": "a run of ours stopped early, so the work differs"}
        before = model.engine.counter.copy()
        runs: list[Run] = [partial(ours, comparison, model, target)]
        if callable(peer):
            runs.append(peer)
        (scores, seconds), *theirs = timed(runs, REPEATS)
    except AttribookError as error:  # such as a tokenizer without a token to mask with
        return row | {"status": str(error)}
    spent = model.engine.counter - before  # captum does not go through the engine
    row |= {"tokens_computed": spent.tokens // (REPEATS + 1), "limit_share": operations / rate / seconds}
    if isinstance(peer, str):
        return row | {"ours_seconds": seconds, "status": peer}
    peer_scores, peer_seconds = theirs[0] if callable(peer) else peer
    row |= ratio(seconds, peer_seconds)
    if comparison.random:
        return row | {"status": "random: not compared"}
    return row | agreement(scores.abs() if comparison.absolute else scores, peer_scores)


def peer_side(comparison: Comparison, model: Explained, encoding: Encoding, inseq: Row | str) -> Run | Timed | str:
    """What to run in turns with ours, what was measured elsewhere, or why there is neither."""
    if comparison.peer == "none":
        return ALONE
    if comparison.peer == "captum":
        return captum_run(comparison.method, model, encoding)
    if isinstance(inseq, str):
        return inseq
    theirs, own = inseq[comparison.method], model.encode(PROMPT, target=answer(comparison, model, encoding))
    if theirs["ids"] != [*own.ids.tolist(), own.target]:
        return "Inseq read the prompt or the target as other tokens"
    return torch.tensor(theirs["scores"], dtype=torch.float64), float(theirs["seconds"])


def answer(comparison: Comparison, model: Explained, encoding: Encoding) -> str | None:
    """Text of the answer that both sides explain: the least probable that is read back as one token; None: the model's.

    Raises: AttribookError if no token of the vocabulary is read back.
    """
    if not comparison.far_fetched:
        return None
    ids, specials = encoding.ids.tolist(), set(model.tokenizer.all_special_ids)
    for token in encoding.distribution.argsort().tolist():
        text = model.answer_text(encoding, token)
        if token not in specials and text and model.tokenizer(PROMPT + text)["input_ids"] == [*ids, token]:
            return text
    raise AttribookError("No token of the vocabulary can be written after the prompt and read back.")


def attribution(comparison: Comparison, model: Explained, target: str | None = None) -> Attribution:
    """Our method with the comparison's options, from the text on, whose encoding runs a forward that it starts from."""
    method = find_method(comparison.method)
    chance = torch.Generator().manual_seed(0) if comparison.random else None
    return method(model, model.encode(PROMPT, target=target), generator=chance, **comparison.options)


def ours(comparison: Comparison, model: Explained, target: str | None = None) -> Tensor:
    """Our scores `(T,)`."""
    return attribution(comparison, model, target).scores


def inseq_answers(name: str, model: Explained, encoding: Encoding) -> Row | str:
    """What `inseq.py` answers, by method, or in words why there is no answer."""
    folder = model_folder(name) if name in SOURCES else Path(name)
    if not folder.is_dir():
        return "needs a model folder"
    theirs = [c for c in COMPARISONS if c.peer == "inseq"]
    question = {
        "folder": str(folder.resolve()), "prompt": PROMPT,
        "device": str(model.network.device), "threads": torch.get_num_threads(), "batches": BATCHES,
        "repeats": REPEATS, "methods": {c.method: c.peer_options for c in theirs},
        "targets": {c.method: answer(c, model, encoding) or encoding.target_text for c in theirs},
    }  # fmt: skip
    script = Path(__file__).with_name("inseq.py")
    try:
        # -I keeps this package's folder off the path: its module names are not meant for others.
        printed = called([str(peer_python()), "-I", str(script)], "Inseq", json.dumps(question))
    except AttribookError as error:
        return str(error)
    answers: Row = json.loads(printed.strip().splitlines()[-1])
    return answers
