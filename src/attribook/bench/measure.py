"""Speed against captum, Inseq and the machine's limit. Scores are compared first: only equal work is timed.

Each row sets one of our methods, with the options under which it computes what a peer computes, beside that
peer. Ours is timed from the text to the scores, as the prompt's own forward is part of the work. captum runs
on the same network in this process, in turns with ours; Inseq in an environment of its own, made once.
"""

import json
import math
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from filelock import FileLock
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from torch import Tensor

from attribook.archives import to_stderr
from attribook.attribution.base import Attribution
from attribook.attribution.registry import find_method
from attribook.bench.limit import PROBES, STEPS, VECTORS, least, matmul_rate, wall_seconds
from attribook.bench.rpi import rpi_rows
from attribook.errors import AttribookError
from attribook.grid.work import machine_class
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained
from attribook.models.fetch import model_folder
from attribook.models.load import load_model
from attribook.models.registry import SOURCES
from attribook.paths import home

PROMPT = (
    "The train brought Mara to Norway, where a cousin met her. (The kettle in the kitchen was old, and "
    "nobody had ever repaired it.) She soon learned to speak the language of the country, which is called"
)
REPEATS = 3
BATCHES = (8, 16)  # a peer runs with the faster of these
TOLERANCE = 1e-5
ALONE = "no peer has it"
TOLERANCE_REASON = "scores are made of float32 probabilities, whose last digits depend on a batch's shape"
PEER_PACKAGES = ("torch==2.13.0", "inseq==0.7.1")
MEASURED = (
    "max_difference", "largest_score", "correlation", "rank_correlation", "agree", "ours_seconds",
    "peer_seconds", "ratio", "limit_share", "tokens_computed",
)  # fmt: skip
COLUMNS = (
    "method", "peer", "scores", "ranks", "ours, s", "peer, s", "ratio", "of limit", "tokens (least)",
)  # fmt: skip

Row = dict[str, Any]
Timed = tuple[Tensor, float]  # scores (T,) and median seconds


@dataclass(frozen=True)
class Comparison:
    """One of our methods and a peer that computes the same, or `none`."""

    method: str
    peer: str
    options: dict[str, Any]  # ours
    note: str
    absolute: bool = False  # the peer drops the sign
    peer_options: dict[str, Any] = field(default_factory=dict)
    random: bool = False  # each side draws its own numbers: only time is compared
    far_fetched: bool = False  # explain an answer that the model does not think of, not its own


_ALL = {"specials": "perturb", "output": "probability"}  # peers move BOS too
_GRADIENTS = {"steps": STEPS, "rule": "gauss_legendre", **_ALL, "reduction": "sum"}
_INSEQ = "Inseq runs with sdpa attention (its default is eager) and computes the logits of all positions."
COMPARISONS = (
    Comparison(
        "occlusion", "captum", {"operator": "zero", **_ALL},
        "FeatureAblation of embeddings, one feature a token, zero baseline.",
    ),
    Comparison(
        "integrated_gradients", "captum", {"baseline": "zero", **_GRADIENTS},
        "IntegratedGradients of embeddings, zero baseline. Ours runs two more forwards, for completeness.",
    ),
    Comparison(
        "occlusion", "inseq", {"operator": "mask", **_ALL},
        "Inseq has no zero baseline: it puts the unknown token's embedding, as our operator=mask does. It "
        f"returns absolute values, so ours are compared without their sign. {_INSEQ}",
        absolute=True,
    ),
    Comparison(
        "integrated_gradients", "inseq", {"baseline": "mask", **_GRADIENTS},
        "Inseq has no zero baseline: it starts from the unknown token's embedding, as our baseline=mask "
        f"does. {_INSEQ}",
        peer_options={"n_steps": STEPS},
    ),
    Comparison(
        "reagent", "inseq",
        {"replacer": "uniform", "ratio": 0.3, "keep_tokens": 1, "top_k": 1, "specials": "perturb", **PROBES},
        "Uniform replacement over the vocabulary on both sides: Inseq's tagger wants a download, so its sampler is "
        "replaced. Explained is the answer least probable, which no edit brings to the first place, so no run stops: "
        f"{PROBES['runs']} runs of {PROBES['max_steps']}, two prompts each. {_INSEQ}",
        peer_options={"replacing_ratio": 0.3, "keep_top_n": 1, "stopping_condition_top_k": 1,
                      "num_probes": PROBES["runs"], "max_probe_steps": PROBES["max_steps"]},
        random=True,
        far_fetched=True,
    ),
    Comparison(
        "noiser", "none", {"bound": "norm_2", "vectors": VECTORS, "specials": "perturb"},
        f"At a fixed scale, so that the least work is known: every token with {VECTORS} noise vectors. The search for "
        "a scale asks the same of fewer tokens at a time.",
        random=True,
    ),
)  # fmt: skip


# -- the measurement -----------------------------------------------------------------------------------------


def measure(model: str, *, peers: bool, classifier: str = "") -> dict[str, Any]:
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
        + (list(rpi_rows(classifier, REPEATS, TOLERANCE)) if classifier else []),
        "classifier": classifier,
    }


def compared(
    comparison: Comparison, model: Explained, encoding: Encoding, rate: float, inseq: dict[str, Any] | str
) -> Row:
    """One row. `inseq` holds Inseq's answers, or the reason why there are none."""
    least_tokens, operations = least(model.network, comparison.method, len(encoding))
    row: Row = {
        "method": comparison.method, "peer": comparison.peer, "options": comparison.options,
        "status": "measured", **dict.fromkeys(MEASURED), "tolerance": TOLERANCE, "tokens_least": least_tokens,
        "least_gflop": operations / 1e9, "note": comparison.note,
    }  # fmt: skip
    try:
        peer = peer_side(comparison, model, encoding, inseq)
        target = answer(comparison, model, encoding)
        if comparison.far_fetched and attribution(comparison, model, target).details.get("runs_stopped"):
            return {**row, "status": "a run of ours stopped early, so the work differs"}
        before = model.engine.counter.copy()
        mine, *theirs = timed([lambda: ours(comparison, model, target), *([peer] if callable(peer) else [])])
    except AttribookError as error:  # such as a tokenizer without a token to mask with
        return {**row, "status": str(error)}
    spent = model.engine.counter - before  # captum does not go through the engine
    row["tokens_computed"] = spent.tokens // (REPEATS + 1)
    row |= {"ours_seconds": mine[1], "limit_share": operations / rate / mine[1]}
    if isinstance(peer, str):
        return {**row, "status": peer}
    scores, seconds = theirs[0] if callable(peer) else peer
    if comparison.random:
        return {**row, "status": "random: not compared", "peer_seconds": seconds, "ratio": seconds / mine[1]}
    own = mine[0].abs() if comparison.absolute else mine[0]
    return {**row, **agreement(own, scores), "peer_seconds": seconds, "ratio": seconds / mine[1]}


def peer_side(
    comparison: Comparison, model: Explained, encoding: Encoding, inseq: dict[str, Any] | str
) -> Callable[[], Tensor] | Timed | str:
    """What to run in turns with ours, what was measured elsewhere, or why there is neither."""
    if comparison.peer == "none":
        return ALONE
    if comparison.peer == "captum":
        return captum_run(comparison.method, model, encoding)
    if isinstance(inseq, str):
        return inseq
    return inseq_result(inseq[comparison.method], model.encode(PROMPT, target=answer(comparison, model, encoding)))


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


def timed(runs: list[Callable[[], Tensor]]) -> list[Timed]:
    """Scores and median seconds of every run, after one warm-up; in turns, so that noise hits all alike."""
    results = [run() for run in runs]
    spent: list[list[float]] = [[] for _ in runs]
    for _ in range(REPEATS):
        for run, seconds in zip(runs, spent, strict=True):
            seconds.append(wall_seconds(run))
    return [(result, statistics.median(seconds)) for result, seconds in zip(results, spent, strict=True)]


def agreement(own: Tensor, peer: Tensor) -> Row:
    """How far two score vectors `(T,)` are apart."""
    a, b = pd.Series(own.tolist()), pd.Series(peer.tolist())
    difference = float((a - b).abs().max())
    return {
        "max_difference": difference,
        "largest_score": float(b.abs().max()),
        "correlation": correlation(a, b),
        "rank_correlation": correlation(a.rank(), b.rank()),
        "agree": difference <= TOLERANCE,
    }


def correlation(a: pd.Series, b: pd.Series) -> float | None:
    """Pearson's correlation, -1 to 1, or None where one side is constant."""
    found = float(a.corr(b)) if a.nunique() > 1 and b.nunique() > 1 else math.nan
    return None if math.isnan(found) else found


# -- captum --------------------------------------------------------------------------------------------------


def captum_run(method: str, model: Explained, encoding: Encoding) -> Callable[[], Tensor] | str:
    """A call that gives captum's scores `(T,)` with the faster batch size, or why there is none."""
    try:
        import captum  # noqa: F401
    except ImportError:
        return "captum is not installed"

    def run(batch: int) -> Callable[[], Tensor]:
        return lambda: captum_scores(method, model, encoding, batch)

    return run(min(BATCHES, key=lambda batch: wall_seconds(run(batch))))


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


# -- Inseq ---------------------------------------------------------------------------------------------------


def inseq_answers(name: str, model: Explained, encoding: Encoding) -> dict[str, Any] | str:
    """What `bench_inseq` answers, by method, or in words why there is no answer."""
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
        told = called([str(peer_python()), "-I", str(script)], "Inseq", json.dumps(question))
    except AttribookError as error:
        return str(error)
    answers: dict[str, Any] = json.loads(told.strip().splitlines()[-1])
    return answers


def inseq_result(answer: dict[str, Any], encoding: Encoding) -> Timed | str:
    """Scores and seconds, if Inseq read the same tokens."""
    if answer["ids"] != [*encoding.ids.tolist(), encoding.target]:
        return "Inseq read the prompt or the target as other tokens"
    return torch.tensor(answer["scores"], dtype=torch.float64), float(answer["seconds"])


def peer_python() -> Path:
    """Python of Inseq's environment, made where it is missing, half-made or has other packages.

    Raises: AttribookError, with pip's reason, if it cannot be made.
    """
    folder = home() / "bench-env"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "made.json"  # written last
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if stamp.is_file() and stamp.read_text() == json.dumps(PEER_PACKAGES):
            return python
        to_stderr(f"making an environment with {', '.join(PEER_PACKAGES)} in {folder} (once, some minutes)")
        shutil.rmtree(folder, ignore_errors=True)
        called([sys.executable, "-m", "venv", str(folder)], "venv")
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries=2"]
        for package in PEER_PACKAGES:
            called([*pip, package], f"pip install {package}")
        stamp.write_text(json.dumps(PEER_PACKAGES))
    return python


def called(command: list[str], what: str, stdin: str = "") -> str:
    """Standard output of a command. Raises: AttribookError with its last line of complaint if it failed."""
    offline = {**os.environ, "HF_HUB_OFFLINE": "1"}  # the model is a folder; pip does not look at this
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=offline, check=False)
    except OSError as error:
        raise AttribookError(f"{what} could not be started: {error.strerror}") from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise AttribookError(f"{what} failed: {reason}")
    return done.stdout


# -- the report ----------------------------------------------------------------------------------------------


def report(found: dict[str, Any]) -> RenderableType:
    """The measurement as a table: scores first, then times, then the share of the machine's limit."""
    machine = found["machine"]
    shown = Table()
    for column in COLUMNS:
        shown.add_column(column, overflow="fold")
    for row in found["rows"]:
        shown.add_row(*cells(row))
    about = (
        f"{found['model']}, {found['tokens']} tokens, target {found['target']!r}"
        f"{', and for rpi ' + found['classifier'] if found['classifier'] else ''}; {machine['class']}, "
        f"{machine['threads']} threads, load {machine['load_before']} before, {found['matmul_gflops']:.0f} "
        f"GFLOP/s in a float32 matrix product. Times are medians of {found['repeats']} after a warm-up; "
        f"peers run with the faster batch size of {' and '.join(map(str, BATCHES))}."
    )
    return Group(Text(about), shown, *(Text(line) for line in footnotes(found)))


def cells(row: Row) -> Iterator[str]:
    """One row's cells; where nothing was compared the status stands in place of the scores."""
    yield row["method"]
    yield row["peer"]
    if row["max_difference"] is None:
        yield escape(row["status"])
    else:
        verdict = "agree" if row["agree"] else "[bold red]differ[/]"
        yield f"{verdict}: {row['max_difference']:.1e} of {row['largest_score']:.2g}"
    formats = {"rank_correlation": ".3f", "ours_seconds": ".3g", "peer_seconds": ".3g", "ratio": ".2f"}
    for column, how in {**formats, "limit_share": ".0%"}.items():
        yield "-" if row[column] is None else format(row[column], how)
    yield f"{row['tokens_computed'] or '-'} ({row['tokens_least']})"


def footnotes(found: dict[str, Any]) -> Iterator[str]:
    """What each row compares, and how columns are to be read."""
    for row in found["rows"]:
        yield f"{row['method']}, {row['peer']}: {row['note']}"
    yield (
        f"Scores: the largest difference, of the peer's largest score; they agree up to {TOLERANCE:g}, as "
        f"{found['tolerance_reason']}. Ranks: Spearman's correlation."
    )
    yield (
        "Ratio: the peer's seconds over ours. Of limit: seconds that the least work takes at the rate of the "
        "matrix product, over ours. Tokens: computed by ours, and the least."
    )
