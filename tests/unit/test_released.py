"""The authors' own vectors: the table is made of the released files, and equals what they say of themselves."""

import math

import pytest
from conftest import ROOT

from attribook.errors import AttribookError
from attribook.papers.reagent.released import RELEASED, content, released_soft, released_vectors

# Share of prompts whose five best tokens hold the antecedent, as the authors' own tables have them.
HITS = {"attention": 0.8790, "attention_last": 0.7516, "attention_rollout": 0.0191, "input_x_gradient": 0.9936,
        "integrated_gradients": 0.9809, "gradient_shap": 0.9618}  # fmt: skip


@pytest.fixture
def stored(monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(ROOT / "results"))
    monkeypatch.delenv("ATTRIBOOK_DATA", raising=False)
    return RELEASED.frame()


def test_stored_hits_are_the_released_ones(stored):
    found = stored[stored["setting"] == ""].set_index("method")["antecedent"]
    assert found.round(4).to_dict() == HITS
    first = stored[stored["setting"] == "top3_replace0.1_max5000_batch5"].iloc[0]
    assert round(first["antecedent"], 4) == 0.8981
    assert (first["nan"], first["n"]) == (2, 157)
    assert round(first["n"] * (1 - first["distractor"]) - first["nan"]) == round(0.3312 * 157)
    assert stored["log_nc"].is_monotonic_decreasing


def test_the_stored_table_is_made_of_the_released_files(originals, stored, tmp_path, monkeypatch):
    monkeypatch.setenv("ATTRIBOOK_DATA", originals)
    monkeypatch.setenv("ATTRIBOOK_RESULTS", str(tmp_path))
    again = RELEASED.frame()
    assert again.drop(columns=["method", "setting"]).to_numpy() == pytest.approx(
        stored.drop(columns=["method", "setting"]).to_numpy(), abs=1e-9
    )
    assert again[["method", "setting"]].equals(stored[["method", "setting"]])


def test_released_files(originals):
    assert len(released_vectors()) == 2512
    soft = released_soft()
    means = soft.query("method == 'reagent' and distance == 'D'")[["soft_nc", "random_soft_nc"]].mean()
    assert means.tolist() == pytest.approx([0.062711, 0.001138], abs=1e-6)


# Logarithms of the ratios of means under the released distance, as the file's SOURCE.md has them: Soft-NS, Soft-NC.
LOGS = {"attention": (-0.137, -0.226), "attention_last": (-0.098, -0.281), "attention_rollout": (-0.125, 0.487),
        "gradient_shap": (-0.419, 1.867), "input_x_gradient": (0.145, 1.793), "integrated_gradients": (0.266, 1.827),
        "reagent": (2.090, 4.009)}  # fmt: skip


@pytest.mark.parametrize("method", LOGS)
def test_the_worked_example_of_the_source(originals, method):
    soft = released_soft().query("method == @method and distance == 'D'")
    soft = soft[soft["setting"].isin(["", "top3_replace0.1_max5000_batch5"])]
    mean = soft.mean(numeric_only=True)
    logs = [math.log(mean[name] / mean[f"random_{name}"]) for name in ("soft_ns", "soft_nc")]
    assert logs == pytest.approx(LOGS[method], abs=6e-4)
    if method == "reagent":
        mean = soft[~soft["nan"]].mean(numeric_only=True)
        assert len(soft) - (~soft["nan"]).sum() == 2
        assert math.log(mean["soft_nc"] / mean["random_soft_nc"]) == pytest.approx(3.792, abs=6e-4)


def test_missing_or_other_files_say_what_to_do(tmp_path, monkeypatch):
    monkeypatch.delenv("ATTRIBOOK_DATA", raising=False)
    with pytest.raises(AttribookError, match=r"\$ATTRIBOOK_DATA"):
        RELEASED.frame()
    monkeypatch.setenv("ATTRIBOOK_DATA", str(tmp_path))
    with pytest.raises(AttribookError, match="is not part of attribook"):
        content("soft_items.csv")
    (tmp_path / "golden" / "reagent_released").mkdir(parents=True)
    (tmp_path / "golden" / "reagent_released" / "soft_items.csv").write_text("method\n", encoding="utf-8")
    with pytest.raises(AttribookError, match="is not the registered file"):
        content("soft_items.csv")
