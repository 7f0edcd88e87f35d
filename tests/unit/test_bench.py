import io
import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from rich.console import Console

from attribook.bench import inseq_environment
from attribook.bench import limit as bench_limit
from attribook.bench import measure as bench
from attribook.bench import rpi as bench_rpi
from attribook.bench.agreement import agreement
from attribook.bench.report import report
from attribook.errors import AttribookError
from attribook.models.injection import layers_of
from attribook.models.load import load_model


@pytest.fixture(autouse=True)
def _short(monkeypatch, tmp_path):
    """Times do not matter here; no environment is made and nothing lies in the user's cache."""
    monkeypatch.setattr(bench, "REPEATS", 1)
    monkeypatch.setattr(bench_limit, "MATMUL_SIZE", 32)
    monkeypatch.setattr(bench, "PROMPT", "In the capital of Japan, I was staying at my old friend's house")
    monkeypatch.setenv("ATTRIBOOK_HOME", str(tmp_path / "home"))


@pytest.fixture
def folder(tmp_path) -> str:
    model = load_model("tiny-llama")
    model.network.save_pretrained(tmp_path / "model")
    model.tokenizer.save_pretrained(tmp_path / "model")
    return str(tmp_path / "model")


def rows(found: dict, peer: str) -> list[dict]:
    chosen = [row for row in found["rows"] if row["peer"] == peer]
    also = ["reagent"] if peer == "inseq" else []
    assert [row["method"] for row in chosen] == ["occlusion", "integrated_gradients", *also]
    return chosen


def printed(found: dict) -> str:
    console = Console(width=160, file=io.StringIO())
    console.print(report(found))
    return console.file.getvalue()


# -- scores --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tiny-llama", "tiny-gpt2", "tiny-opt"])
def test_scores_agree_with_captum(name):
    found = bench.measure(name, peers=False)
    for row in rows(found, "captum"):
        assert row["status"] == "measured"
        assert row["max_difference"] <= 1e-5 < row["largest_score"]
        assert row["agree"]
        assert row["correlation"] > 0.999
        assert row["ratio"] == row["peer_seconds"] / row["ours_seconds"]
        assert row["limit_share"] > 0
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_tokens_computed_are_those_of_the_engine():
    found = bench.measure("tiny-llama", peers=False)
    occlusion, gradients = rows(found, "captum")
    n = found["tokens"]
    assert occlusion["tokens_least"] == n + n * (n + 1) // 2
    assert occlusion["tokens_least"] <= occlusion["tokens_computed"] <= n + n * n
    assert gradients["tokens_least"] == 50 * n
    assert gradients["tokens_computed"] == 52 * n  # the prompt, and the empty prompt for completeness


def test_the_answer_least_probable_is_explained_where_no_run_may_stop():
    model = load_model("tiny-llama")
    encoding = model.encode(bench.PROMPT)
    (reagent,) = [c for c in bench.COMPARISONS if c.method == "reagent"]
    target = model.encode(bench.PROMPT, target=bench.answer(reagent, model, encoding)).target
    before = encoding.distribution < encoding.distribution[target]
    assert before.sum() < len(encoding.distribution) // 10  # only what the tokenizer does not read back
    assert bench.answer(bench.COMPARISONS[0], model, encoding) is None


def test_runs_of_reagent_that_stop_early_are_not_timed(monkeypatch):
    monkeypatch.setattr(bench, "answer", lambda *_: None)
    found = bench.measure("tiny-llama", peers=False)  # few tokens: the target is soon first by chance
    *_, reagent = rows(found, "inseq")
    probes = bench_limit.PROBES["runs"] * bench_limit.PROBES["max_steps"]
    assert reagent["tokens_least"] == found["tokens"] * (1 + 2 * probes)
    assert reagent["status"] == "a run of ours stopped early, so the work differs"
    assert reagent["ratio"] is None


def test_noiser_is_timed_without_a_peer():
    found = bench.measure("tiny-llama", peers=False)
    (row,) = [row for row in found["rows"] if row["method"] == "noiser"]
    n = found["tokens"]
    assert row["status"] == bench.ALONE
    assert row["tokens_least"] == n + 10 * n * (n + 1) // 2 <= row["tokens_computed"] <= n + 10 * n * n
    assert row["limit_share"] > 0
    assert row["ratio"] is None
    assert bench.ALONE in printed(found)


def test_a_difference_is_seen():
    a, b = torch.tensor([0.1, 0.3, 0.2]), torch.tensor([0.1, 0.3, 0.25])
    found = agreement(a.double(), b.double())
    assert found["max_difference"] == pytest.approx(0.05)
    assert found["largest_score"] == pytest.approx(0.3)
    assert found["rank_correlation"] == pytest.approx(1)
    assert found["correlation"] == pytest.approx(0.9608, abs=1e-4)  # 0.02 / sqrt(0.02 * 0.021667) by hand
    assert not found["agree"]
    assert agreement(a.double(), torch.ones(3).double())["correlation"] is None


# -- RPI by the released schedule ------------------------------------------------------------------------------


def rpi_of(**changes) -> list[dict]:
    return list(bench_rpi.rpi_rows("tiny-bert", 1, trials=3, steps=4, **changes))


def test_rpi_gives_the_maps_of_the_released_schedule(monkeypatch):
    monkeypatch.setattr(bench_rpi, "LAYERS", ("-2", "-1"))
    for row in rpi_of():
        assert (row["status"], row["agree"]) == ("measured", True)
        assert row["max_difference"] <= 1e-6 < 1e-3 < row["largest_score"]
        assert row["correlation"] > 0.999999
        assert row["ratio"] == row["peer_seconds"] / row["ours_seconds"]
        length = row["tokens_least"] // 12
        assert row["tokens_computed"] == row["tokens_least"] + 2 * length  # the prompt, and its attention


def test_the_released_schedule_runs_all_layers_and_leaves_the_network_as_it_was():
    model = load_model("tiny-bert")
    encoding = model.encode(bench_rpi.SENTENCE)
    first, runs = layers_of(model.network)[0], []
    first.attention.register_forward_hook(lambda *_: runs.append(1))
    options = {**bench_rpi.RELEASED, "trials": 3, "steps": 4, "layers": "-1"}
    maps = bench_rpi.released_maps(model, encoding, torch.Generator().manual_seed(0), options)
    assert maps.shape == (3, len(encoding))
    assert len(runs) == 1 + 3 + 3  # for the layer's attention, the prompt three times, one batch a baseline
    assert all(not p.requires_grad and p.grad is None for p in model.network.parameters())


def test_a_layer_that_is_not_there_is_named():
    first, last = rpi_of()  # two layers, so there is no third from last
    assert "no layer -3" in first["status"]
    assert first["ratio"] is None
    assert last["agree"]


def test_the_report_has_rows_for_rpi(monkeypatch):
    monkeypatch.setattr(bench_rpi, "RELEASED", {**bench_rpi.RELEASED, "trials": 2, "steps": 2})
    found = bench.measure("tiny-llama", peers=False, classifier="tiny-bert")
    assert [row["method"] for row in found["rows"]][-2:] == ["rpi, layer -3", "rpi, layer -1"]
    assert "and for rpi tiny-bert" in " ".join(printed(found).split())
    assert json.loads(json.dumps(found, allow_nan=False)) == found


# -- the machine's limit -------------------------------------------------------------------------------------


def test_weights_that_tokens_pass():
    network = load_model("tiny-llama").network
    # A layer: queries and output 32 x 32, keys and values 32 x 16 (2 of 4 heads), three 32 x 64 of the MLP.
    layer = 2 * 32 * 32 + 2 * 32 * 16 + 3 * 32 * 64
    assert bench_limit.weights(network) == (2 * layer, 32 * network.config.vocab_size)
    # GPT-2 has its head tied to the table, one 32 x 96 for queries, keys and values, and an MLP of width 128.
    network = load_model("tiny-gpt2").network
    layer = 32 * 96 + 32 * 32 + 2 * 32 * 128
    assert bench_limit.weights(network) == (2 * layer, 32 * network.config.vocab_size)


def test_least_operations_of_two_tokens():
    network = load_model("tiny-llama").network
    body, head = bench_limit.weights(network)
    attention = 4 * 32 * 2  # scores and values, four heads of width 8, two layers, for each position seen
    both = 2 * body * 2 + 2 * head + attention * 3  # the first sees one position, the second two
    second = 2 * body * 1 + 2 * head + attention * 2
    assert bench_limit.forward_operations(network, 2, 2) == both
    assert bench_limit.forward_operations(network, 1, 2) == second
    # The prompt, the edit of token 0 (both tokens), the edit of token 1 (the second alone).
    assert bench_limit.least(network, "occlusion", 2) == (2 + 2 + 1, both + both + second)
    assert bench_limit.least(network, "integrated_gradients", 2) == (50 * 2, 50 * 2 * both)
    assert bench_limit.least(network, "reagent", 2) == (161 * 2, 161 * both)
    assert bench_limit.least(network, "noiser", 2) == (2 + 10 * (2 + 1), both + 10 * (both + second))


# -- the report ----------------------------------------------------------------------------------------------


def test_report_shows_scores_times_and_reasons():
    found = bench.measure("tiny-llama", peers=False)
    text = printed(found)
    assert "agree: " in text
    assert "not asked for (--no-peers)" in text
    assert found["machine"]["class"] in text
    for row in found["rows"]:
        assert row["note"].split(":")[0][:40] in text
    found["rows"][0] |= {"agree": False, "max_difference": 0.1}
    found["rows"][2]["status"] = "pip said [Errno 28]"
    assert "differ: 1.0e-01" in printed(found)
    assert "[Errno 28]" in printed(found)


# -- peers that are not there --------------------------------------------------------------------------------


def test_missing_captum_is_named_and_ours_is_measured(monkeypatch):
    monkeypatch.setitem(sys.modules, "captum", None)
    found = bench.measure("tiny-llama", peers=False)
    for row in rows(found, "captum"):
        assert row["status"] == "captum is not installed"
        assert row["ours_seconds"] > 0
        assert row["ratio"] is None
    assert "captum is not installed" in printed(found)


def test_tiny_models_have_no_folder_for_inseq():
    for row in rows(bench.measure("tiny-llama", peers=True), "inseq")[:2]:
        assert row["status"] == "needs a model folder"


def test_an_environment_that_cannot_be_made_is_named(monkeypatch, folder):
    def failing(command, **kwargs):
        assert "venv" in command, kwargs
        return subprocess.CompletedProcess(command, 1, "", "warning\nERROR: no route to the index")

    monkeypatch.setattr(inseq_environment.subprocess, "run", failing)
    found = bench.measure(folder, peers=True)
    for row in rows(found, "inseq")[:2]:
        assert row["status"] == "venv failed: ERROR: no route to the index"
    assert "no route to the index" in printed(found)


def test_a_half_made_environment_is_made_again(monkeypatch):
    commands: list[str] = []

    def run(command, **_):
        commands.append(" ".join(command[1:]))
        if "venv" in command:
            (inseq_environment.home() / "bench-env" / "bin").mkdir(parents=True)
        broken = "torch" in command[-1] and len(commands) == 2
        return subprocess.CompletedProcess(command, int(broken), "", "ERROR: network is unreachable")

    monkeypatch.setattr(inseq_environment.subprocess, "run", run)
    with pytest.raises(AttribookError, match=r"pip install torch.*network is unreachable"):
        inseq_environment.peer_python()
    assert (inseq_environment.home() / "bench-env").is_dir()  # half-made
    python = inseq_environment.peer_python()
    assert len(commands) == 5  # venv, torch; again venv, torch, inseq
    assert inseq_environment.peer_python() == python
    assert len(commands) == 5


# -- Inseq's answers -----------------------------------------------------------------------------------------


def inseq_told(question: dict, shift: int = 0) -> str:
    """What `bench_inseq` would print, computed by ours: occlusion without signs."""
    model = load_model(question["folder"])
    answers = {}
    for c in [one for one in bench.COMPARISONS if one.peer == "inseq"]:
        target = question["targets"][c.method] if c.far_fetched else None
        encoding = model.encode(question["prompt"], target=target)
        scores = bench.ours(c, model, target)
        ids = [*encoding.ids.tolist(), encoding.target + shift]
        answers[c.method] = {
            "scores": (scores.abs() if c.absolute else scores).tolist(),
            "ids": ids,
            "seconds": 9,
        }
    return "Some library prints a line.\n" + json.dumps(answers) + "\n"


def test_inseq_answers_are_compared(monkeypatch, folder):
    monkeypatch.setattr(bench, "peer_python", lambda: "python")
    monkeypatch.setattr(bench, "called", lambda _command, _what, stdin: inseq_told(json.loads(stdin)))
    *same, random = rows(bench.measure(folder, peers=True), "inseq")
    for row in same:
        assert row["agree"]
        assert row["status"] == "measured"
        assert row["peer_seconds"] == 9
    assert random["agree"] is None


def test_random_scores_are_timed_and_not_compared(monkeypatch, folder):
    monkeypatch.setattr(bench, "peer_python", lambda: "python")
    monkeypatch.setattr(bench, "called", lambda _command, _what, stdin: inseq_told(json.loads(stdin)))
    whole = bench.attribution
    monkeypatch.setattr(bench, "attribution", lambda *given: replace(whole(*given), details={}))  # no run has stopped
    *_, random = rows(bench.measure(folder, peers=True), "inseq")
    assert (random["agree"], random["status"]) == (None, "random: not compared")
    assert random["ratio"] == 9 / random["ours_seconds"]


def test_other_tokens_are_not_compared(monkeypatch, folder):
    monkeypatch.setattr(bench, "peer_python", lambda: "python")
    monkeypatch.setattr(bench, "called", lambda _command, _what, stdin: inseq_told(json.loads(stdin), shift=1))
    for row in rows(bench.measure(folder, peers=True), "inseq")[:2]:
        assert row["status"] == "Inseq read the prompt or the target as other tokens"
        assert row["agree"] is None
