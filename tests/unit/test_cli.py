"""The command as a user types it: what it prints, and exit codes 0, 1 and 2."""

import json
import os
import subprocess
import sys

import pytest

from attribook.models.load import load_model


def attribook(*words: str, **variables: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", "from attribook.cli.main import main; main()", *words]
    environment = {**os.environ, **variables}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_explain_prints_json():
    done = attribook("explain", "--model", "tiny-llama", "--method", "occlusion", "--json", "In the city of my friend")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert len(answer["tokens"]) == len(answer["scores"])
    assert answer["cost"]["forwards"] == sum(answer["attributable"])  # all but BOS
    assert {"target", "probability", "method", "options", "cost"} <= set(answer)
    assert answer["options"] == {"operator": "delete", "specials": "keep", "output": "probability"}


def test_explain_the_default_model(smollm):
    prompt = "When my flight landed in Japan, I converted my currency. I was staying in the capital,"
    done = attribook("explain", "--model", "smollm2-135m", "--method", "occlusion", "--json", prompt)
    answer = json.loads(done.stdout)
    assert answer["target"] == " Tokyo"
    assert "".join(answer["tokens"]) == prompt
    strongest = max(zip(answer["scores"], answer["tokens"], strict=True))[1]
    assert strongest == " Japan"


def test_explain_in_colour_and_as_page(tmp_path):
    done = attribook("explain", "--model", "tiny-gpt2", "In the city <b> of my friend")
    assert done.returncode == 0
    assert "In the city <b> of my friend" in done.stdout
    page = tmp_path / "page.html"
    done = attribook("explain", "--model", "tiny-gpt2", "--html", str(page), "In the city <b> of my friend")
    assert done.returncode == 0
    assert "&lt;" in page.read_text(encoding="utf-8")
    assert "<b>" not in page.read_text(encoding="utf-8")
    done = attribook("explain", "--model", "tiny-gpt2", "--html", str(tmp_path / "no" / "page.html"), "In the city")
    assert done.returncode == 2
    assert "Cannot write" in done.stderr


def test_explain_a_folder_of_every_family(family, tmp_path):
    model = load_model(f"tiny-{family}")
    model.network.save_pretrained(tmp_path)
    model.tokenizer.save_pretrained(tmp_path)
    done = attribook("explain", "--model", str(tmp_path), "--json", "In the city of my friend")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["target"] == model.encode("In the city of my friend").target_text


def test_a_target_of_several_tokens_is_said():
    done = attribook("explain", "--model", "tiny-gpt2", "--target", " theQ", "--json", "In the city")
    assert done.returncode == 0
    assert "its first, ' the', is explained" in done.stderr
    assert json.loads(done.stdout)["notes"]


WRONG = {
    "empty prompt": (["explain", "--model", "tiny-gpt2", ""], "prompt is empty"),
    "too long": (["explain", "--model", "tiny-gpt2", "Q" * 1100], "context window"),
    "misspelt model": (["explain", "--model", "smolm2-135m", "a"], "Did you mean smollm2-135m"),
    "no folder": (["explain", "--model", "./nowhere", "a"], "no folder './nowhere'"),
    "unknown method": (
        ["explain", "--model", "tiny-gpt2", "--method", "oclusion", "a"],
        "Did you mean occlusion",
    ),
    "unknown option": (["explain", "--model", "tiny-gpt2", "-o", "steps=3", "a b"], "has no option steps"),
    "no value": (["explain", "--model", "tiny-gpt2", "-o", "steps", "a b"], "name=value"),
    "no number": (
        ["explain", "--model", "tiny-gpt2", "--method", "integrated_gradients", "-o", "steps=x", "a"],
        "int",
    ),
    "one token": (["explain", "--model", "tiny-gpt2", "the"], "Use the operator"),
    "empty target": (["explain", "--model", "tiny-gpt2", "--target", "", "a b"], "target is empty"),
    "unknown flag": (["explain", "--modle", "tiny-gpt2", "a"], "No such option"),
    "unknown notebook": (["run", "nothing", "--profile", "smoke"], "Unknown notebook"),
    "unknown profile": (["run", "shared/protocols", "--profile", "nothing"], "Unknown profile"),
    "unknown fetch": (["models", "fetch", "nothing"], "Unknown model"),
    "unknown recipe": (["models", "train", "smollm2-135m"], "Models with one: minilm-rotten-tomatoes"),
    "unknown data": (["data", "verify", "nothing"], "Unknown data set"),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_wrong_use_exits_with_2_and_says_what_to_do(name):
    words, message = WRONG[name]
    done = attribook(*words)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_an_unknown_model_offline_lists_the_known_ones():
    done = attribook("explain", "--model", "nobody/nothing", "a b", HF_HUB_OFFLINE="1")
    assert done.returncode == 2
    assert "smollm2-135m" in done.stderr
    assert "tiny-llama" in done.stderr
    assert "Traceback" not in done.stderr


def test_nan_weights_are_refused(tmp_path):
    model = load_model("tiny-llama")
    model.network.lm_head.weight.data[0, 0] = float("nan")
    model.network.save_pretrained(tmp_path)
    model.tokenizer.save_pretrained(tmp_path)
    done = attribook("explain", "--model", str(tmp_path), "In the city")
    assert done.returncode == 2
    assert "NaN logits" in done.stderr


def test_pickled_weights_are_refused(tmp_path):
    import torch

    model = load_model("tiny-gpt2")
    model.network.save_pretrained(tmp_path)
    model.tokenizer.save_pretrained(tmp_path)
    torch.save(model.network.state_dict(), tmp_path / "pytorch_model.bin")
    (tmp_path / "model.safetensors").unlink()
    done = attribook("explain", "--model", str(tmp_path), "In the city")
    assert done.returncode == 2
    assert "safetensors" in done.stderr


def test_lists():
    methods = json.loads(attribook("methods", "--json").stdout)
    assert {m["name"] for m in methods} >= {"random", "occlusion", "integrated_gradients"}
    assert all(m["summary"].endswith(".") for m in methods)
    models = {m["name"]: m for m in json.loads(attribook("models", "list", "--json").stdout)}
    assert set(models) >= {"smollm2-135m", "minilm-rotten-tomatoes", "tiny-gpt2"}
    assert {name for name, model in models.items() if model["opt_in"]} == {"gemma-3-270m"}
    assert models["gemma-3-270m"]["licence"] == "Gemma Terms of Use"
    assert {d["name"] for d in json.loads(attribook("data", "list", "--json").stdout)} >= {
        "longra-mini",
        "longra",
    }
    assert attribook("methods").returncode == 0


def test_a_model_with_terms_is_fetched_only_for_who_accepts_them(tmp_path):
    away = {"ATTRIBOOK_HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
    terms, unasked = "https://ai.google.dev/gemma/terms", "Could not fetch"
    for words in (["models", "fetch", "gemma-3-270m"], ["explain", "--model", "gemma-3-270m", "In the city"]):
        done = attribook(*words, **away)
        assert done.returncode == 2
        assert terms in done.stderr
        assert "type: attribook models fetch gemma-3-270m --accept-licence" in done.stderr
        assert unasked not in done.stderr
    accepted = [
        attribook("models", "fetch", "gemma-3-270m", "--accept-licence", **away),
        attribook("models", "fetch", "gemma-3-270m", ATTRIBOOK_ACCEPT_LICENCE="1", **away),
    ]
    for done in accepted:
        assert done.returncode == 2
        assert done.stderr.index(terms) < done.stderr.index(unasked)


def test_data_verify_says_what_it_did_not_look_at(tmp_path):
    environment = {"ATTRIBOOK_DATA": "", "ATTRIBOOK_HOME": str(tmp_path)}
    done = attribook("data", "verify", **environment)
    assert done.returncode == 0
    assert "longra-mini: 223 items, sound" in done.stdout
    assert "not there: " in done.stdout
    assert "longra (longra/longra_573.jsonl)" in done.stdout
    assert "rotten-tomatoes-snippets (fetched when used)" in done.stdout
    assert list(tmp_path.iterdir()) == []
    file = tmp_path / "longra" / "longra_573.jsonl"
    file.parent.mkdir()
    file.write_text("{}", encoding="utf-8")
    done = attribook("data", "verify", ATTRIBOOK_DATA=str(tmp_path), ATTRIBOOK_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "longra: " in done.stderr
    assert "is not the registered file" in done.stderr
    assert "tellmewhy-mini: 30 items, sound" in done.stdout, "the others are looked at all the same"


def test_what_did_not_converge_says_so(tmp_path):
    page = tmp_path / "why.html"
    given = ("explain", "--model", "tiny-llama", "--method", "reagent", "-o", "max_steps=1", "In the city of my friend")
    done = attribook(*given, "--json", "--html", str(page))
    assert json.loads(done.stdout)["converged"] is False
    assert "reagent did not converge" in done.stderr
    assert "converged" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--seed", "-1", "A cat"), "seed"),
        (("--html", ".", "A cat"), "no name of a file"),
        (("--html", "", "A cat"), "no name of a file"),
        ((b"A \xff cat".decode(errors="surrogateescape"),), "UTF-8"),
    ],
)
def test_what_cannot_be_asked_is_told_before_a_model_is_loaded(given, said):
    done = attribook("explain", "--model", "tiny-llama", *given)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
