"""Fixtures that several folders share."""

import os
from pathlib import Path

import pytest
import torch

from attribook.errors import AttribookError
from attribook.models import CausalLM, load_model
from attribook.models.tiny import FAMILIES

PROMPT = "In the capital of Japan, I was staying at my old friend's house: it is 東京"
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    """No test writes rows into the checkout or reads the user's variables."""
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path / "results"))
    monkeypatch.delenv("ATTRIBOOK_ROOT", raising=False)


@pytest.fixture(params=list(FAMILIES))
def family(request) -> str:
    return request.param


@pytest.fixture
def tiny(family) -> CausalLM:
    return load_model(f"tiny-{family}")


@pytest.fixture
def exact(family) -> CausalLM:
    """In float64, for comparisons with slow re-implementations."""
    return load_model(f"tiny-{family}", dtype="float64")


@pytest.fixture(scope="session")
def smollm() -> CausalLM:
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


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
