"""Fixtures that several folders share."""

import base64
import gzip
import json
import os
from pathlib import Path

import pandas as pd
import pytest
import safetensors.torch
import torch

from attribook.attribution.registry import METHODS
from attribook.errors import AttribookError
from attribook.models.explained import Explained
from attribook.models.known import tiny_names
from attribook.models.load import load_model
from attribook.models.tiny import CLASSIFIERS, FAMILIES
from attribook.site.matrix import COLUMNS

PROMPT = "In the capital of Japan, I was staying at my old friend's house: it is 東京"
ROOT = Path(__file__).resolve().parent.parent
# GPT-J computes attention in float32 whatever the weights are: a batch of another shape moved scores by up to 2e-7.
FLOAT32_ATTENTION = 1e-6
READ = {
    "probability": lambda logits: logits.softmax(-1),
    "logit": lambda logits: logits,
    "log_probability": lambda logits: logits.log_softmax(-1),
}


def pytest_addoption(parser):
    parser.addoption("--write-matrix", action="store_true", help="store what the tests of the matrix saw")


def pytest_configure(config):
    pytest.writes_matrix = config.getoption("--write-matrix")
    if pytest.writes_matrix:
        config.pluginmanager.register(MatrixWriter())


class MatrixWriter:
    """Collects what tests recorded, also from other processes, and writes it if none of them failed."""

    def __init__(self):
        self.cells, self.failed = [], False

    def pytest_runtest_logreport(self, report):
        self.failed |= report.failed
        if report.when == "call":
            self.cells += [value for name, value in report.user_properties if name == "matrix"]

    def pytest_sessionfinish(self, session):
        if not self.failed and not hasattr(session.config, "workerinput"):
            write_matrix(self.cells)


def write_matrix(cells, path=ROOT / "results" / "matrix.csv"):
    """Write the table of the matrix, in the order of methods and families."""
    order = {name: place for place, name in enumerate([*METHODS, *tiny_names()])}
    frame = pd.DataFrame(cells, columns=list(COLUMNS))
    frame = frame.sort_values(["method", "model"], key=lambda names: names.map(order).fillna(len(order)))
    frame.to_csv(path, index=False)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    """No test writes rows into the checkout or reads the user's variables."""
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path / "results"))
    monkeypatch.delenv("ATTRIBOOK_ROOT", raising=False)


@pytest.fixture(params=[*FAMILIES, *CLASSIFIERS])
def family(request) -> str:
    return request.param


@pytest.fixture(params=list(FAMILIES))
def causal_family(request) -> str:
    return request.param


@pytest.fixture
def causal(causal_family) -> Explained:
    return load_model(f"tiny-{causal_family}")


@pytest.fixture
def tiny(family) -> Explained:
    return load_model(f"tiny-{family}")


@pytest.fixture
def exact(family) -> Explained:
    """In float64, for comparisons with slow re-implementations."""
    return load_model(f"tiny-{family}", dtype="float64")


@pytest.fixture(scope="session")
def smollm() -> Explained:
    try:
        return load_model("smollm2-135m")
    except AttribookError as error:
        pytest.skip(f"needs the default model, which could not be fetched (attribook models fetch): {error}")


@pytest.fixture
def originals() -> str:
    folder = os.environ.get("ATTRIBOOK_DATA")
    if not folder:
        pytest.skip("needs the papers' data sets: set ATTRIBOOK_DATA to their folder")
    return folder


def answer_logits(model: Explained, **given: torch.Tensor) -> torch.Tensor:
    """Logits `(C,)` of one prompt, straight from the network."""
    logits = model.network(**given).logits
    return logits[0, -1] if logits.dim() == 3 else logits[0]


def target_probability(model: Explained, encoding):
    """From embeddings `(B, T, D)` to the target's probability `(B,)`, straight through the network: for captum."""

    def forward(embeds: torch.Tensor) -> torch.Tensor:
        logits = model.network(inputs_embeds=embeds).logits
        return (logits[:, -1] if logits.dim() == 3 else logits).softmax(-1)[:, encoding.target]

    return forward


def moving(encoding, specials: str) -> torch.Tensor:
    """Tokens `(T, 1)` that move: all, or all but the special ones."""
    return torch.ones(len(encoding), 1, dtype=torch.bool) if specials == "perturb" else encoding.attributable[:, None]


def nothing_id(model: Explained) -> int:
    """The token that stands for nothing."""
    tokenizer = model.tokenizer
    return tokenizer.unk_token_id if tokenizer.mask_token_id is None else tokenizer.mask_token_id


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def inseq_file(path, tokens, scores, start, *, ids=None, zipped=False):
    """What Inseq 0.7.1 writes for one sequence of a decoder-only model, as far as it is read; (T', steps, ...)."""

    def entry(place, token):
        told = {"id": ids[place] if ids else place, "token": token}
        return {"__instance_type__": ["inseq.utils.typing", "TokenWithId"], "attributes": told}

    entries = [entry(place, token) for place, token in enumerate(tokens)]
    packed = base64.b64encode(safetensors.torch.save({"attribution": scores})).decode()
    sequence = {
        "__instance_type__": ["inseq.data.attribution", "GranularFeatureAttributionSequenceOutput"],
        "attributes": {
            "attr_pos_end": len(tokens), "attr_pos_start": start, "sequence_scores": {}, "source": entries[:start],
            "source_attributions": None, "step_scores": {}, "target": entries, "target_attributions": packed,
        },
    }  # fmt: skip
    info = {"attribution_method": "saliency", "attributed_fn": "probability_fn", "model_name": "made-up"}
    whole = {
        "__instance_type__": ["inseq.data.attribution", "FeatureAttributionOutput"],
        "attributes": {"info": info, "sequence_attributions": [sequence], "step_attributions": None},
    }
    raw = json.dumps(whole, indent=4, sort_keys=True).encode()
    path.write_bytes(gzip.compress(raw) if zipped else raw)
    return path


BYTES = [b"\xff", b"\0", b"\n", b"\r", b'"', b"{", b"]", b"null", b"-1e999", b"NaN", b"\xe2\x80\xa8", b",", b"9" * 30]


def mutated(content, chance):
    """The bytes with up to three parts cut out, doubled, or replaced by something odd."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(content) + 1)
        end = min(len(content), at + chance.choice([0, 1, 1, 5, 60, len(content)]))
        part = chance.choice([b"", content[at:end] * 2, chance.choice(BYTES), chance.randbytes(3)])
        content = content[:at] + part + content[end:]
    return content
