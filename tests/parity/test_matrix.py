"""Every method on every family: it works, at its formula's cost, whatever the batch and the attention; or it refuses.

A refusal names a reason and a method that works. `make matrix` writes what these tests saw to `results/matrix.csv`,
which the book shows and which they are held against.
"""

import pytest
import torch
from conftest import PROMPT, seeded

from attribook.attribution.registry import METHODS, find_method
from attribook.errors import AttribookError
from attribook.models.known import tiny_names
from attribook.models.load import load_model
from attribook.site.matrix import load_matrix

# Two ways of adding the same float32 numbers; scores are up to about 1.
FLOAT32 = {"atol": 1e-5, "rtol": 1e-4}
# Fewer samples and steps than by default: cost formulas are in these options, and 12 families are tested.
QUICK = {
    "lime": {"samples": 40},
    "kernel_shap": {"samples": 120},
    "sequential_integrated_gradients": {"steps": 3},
    "reagent": {"max_steps": 4},
    "noiser": {"vectors": 3},
    "rpi": {"trials": 3, "steps": 4},
    "rpi_g": {"trials": 3, "steps": 4},
    "rpi_ig": {"trials": 3, "steps": 4},
    "rpi_sig": {"trials": 2, "steps": 2},
}
MODELS = [*tiny_names(), "tiny-llama+sentiment"]


def scores(name, method, *, attention=None, budget=0):
    model = load_model(name, token_budget=budget)
    if attention is not None:
        model.network.set_attn_implementation(attention)
    encoding = model.encode(PROMPT)
    before = model.network.config._attn_implementation
    found = find_method(method)(model, encoding, generator=seeded(), **QUICK.get(method, {}))
    assert model.network.config._attn_implementation == before
    return model, encoding, found


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("name", MODELS)
def test_matrix(name, method, record_property):
    refusal = None
    try:
        model, encoding, found = scores(name, method)
    except AttribookError as error:
        refusal = str(error)
    if refusal is not None:
        others = [other for other in METHODS if other != method]
        assert any(other in refusal.rsplit("Use ", 1)[-1] for other in others), "names no way out"
        cell = {"works": False, "reason": refusal, "forwards": "", "backwards": "", "tokens": "", "moved": ""}
    else:
        cost = (found.cost.forwards, found.cost.backwards)
        assert cost == METHODS[method].expected(encoding, found.options, found.details)
        assert bool(torch.isfinite(found.scores).all())
        for budget in (1, 10**6):
            torch.testing.assert_close(scores(name, method, budget=budget)[2].scores, found.scores, **FLOAT32)
        if model.network._supports_sdpa:
            eager, sdpa = (scores(name, method, attention=a)[2].scores for a in ("eager", "sdpa"))
            torch.testing.assert_close(eager, sdpa, **FLOAT32)
        moved = int(encoding.movable(found.options.get("specials", "keep")).sum())
        cell = {"works": True, "reason": "", "forwards": str(cost[0]), "backwards": str(cost[1])}
        cell |= {"tokens": str(len(encoding)), "moved": str(moved)}
    cell = {"method": method, "model": name, "version": METHODS[method].version, **cell}
    record_property("matrix", cell)
    stored = load_matrix().drop(columns="refusal")
    mine = stored[(stored["method"] == method) & (stored["model"] == name)].to_dict("records")
    if not pytest.writes_matrix:
        assert mine == [{key: str(value) for key, value in cell.items()}], "the stored matrix is old: run `make matrix`"
