"""Scores of other tools: read as they were saved, and put at the right tokens or refused."""

import json
import re
import subprocess
import sys

import pytest
import torch
from conftest import ROOT, inseq_file, seeded

from attribook.attribution.imported import aligned, from_captum, from_scores, read_inseq
from attribook.errors import AttribookError
from attribook.metrics.registry import METRICS
from attribook.models.load import load_model

PROMPT = "In the capital of 東京, é"


def ramp(length):
    return [float(i) for i in range(length)]


def vocabulary(model, encoding):
    return model.tokenizer.convert_ids_to_tokens(encoding.ids.tolist())


def two_steps(width=()):
    """Scores (5, 2, *width) of 3 prompt tokens and 2 generated ones, NaN where Inseq leaves NaN."""
    scores = torch.arange(10 * (width[0] if width else 1), dtype=torch.float32).view(5, 2, *width) - 4
    scores[3:, 0] = float("nan")
    scores[4:, 1] = float("nan")
    return scores


def test_import_attribook_stays_light():
    code = "import attribook, sys; assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_pages_that_read_rows_load_no_networks():
    """Every page of the book imports these rooms; networks and captum would make each wait for seconds."""
    code = (
        "import sys; import attribook.grid.study, attribook.ledger.ledger\n"
        "assert not {'captum', 'transformers.modeling_utils', 'transformers.configuration_utils'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_from_scores_is_an_attribution():
    found = from_scores(["the", " king"], [0.5, -1], tool="mine", options={"steps": 3})
    assert found.scores.tolist() == [0.5, -1.0]
    assert found.scores.dtype == torch.float64
    assert (found.method, found.version, found.options) == ("imported:mine", 0, {"steps": 3})
    assert found.cost.forwards == found.cost.backwards == 0


def test_from_scores_refuses_what_is_no_score():
    with pytest.raises(AttribookError, match=r"token 1 \(' king'\) is nan"):
        from_scores(["the", " king"], [0.5, float("nan")])
    with pytest.raises(AttribookError, match="is inf"):
        from_scores(["the", " king"], torch.tensor([float("inf"), 1.0]))
    with pytest.raises(AttribookError, match="2 tokens, scores"):
        from_scores(["the", " king"], [1.0, 2.0, 3.0])
    with pytest.raises(AttribookError, match="0 tokens"):
        from_scores([], [])
    with pytest.raises(AttribookError, match="2 tokens, 1 ids"):
        from_scores(["the", " king"], [1.0, 2.0], ids=[3])


def test_captum_shapes():
    tokens, values = ["a", "b", "c"], torch.tensor([[3.0, -4.0], [1.0, 1.0], [0.0, 2.0]])
    assert from_captum(tokens, values, reduction="sum").scores.tolist() == [-1, 2, 2]
    assert from_captum(tokens, values[None], reduction="mean").scores.tolist() == [-0.5, 1, 1]
    l2 = from_captum(tokens, values[None].requires_grad_(), reduction="l2")
    assert l2.scores.tolist() == pytest.approx([5, 2**0.5, 2])
    assert (l2.method, l2.options) == ("imported:captum", {"reduction": "l2"})
    assert from_captum(tokens, values[:, 0].detach()).scores.tolist() == [3, 1, 0]
    assert from_captum(["a"], torch.tensor([[[1.0, 2.0]]]), reduction="sum").scores.tolist() == [3]


def test_captum_refusals():
    tokens = ["a", "b", "c"]
    with pytest.raises(AttribookError, match="2 numbers a token and the reduction is None"):
        from_captum(tokens, torch.zeros(1, 3, 2))
    with pytest.raises(AttribookError, match="reduction is 'max'"):
        from_captum(tokens, torch.zeros(3, 2), reduction="max")
    for shape in [(2, 3, 4), (4, 2), (2, 3), (1, 4, 2)]:
        with pytest.raises(AttribookError, match="one prompt at a time"):
            from_captum(tokens, torch.zeros(shape), reduction="sum")


@pytest.mark.parametrize("zipped", [False, True])
def test_inseq_steps(tmp_path, zipped):
    scores, tokens = two_steps(), ["<s>", "the", "Ġking", "Ġwas", "Ġold"]
    path = inseq_file(tmp_path / "out.json", tokens, scores, 3, ids=[1, 7, 8, 9, 5], zipped=zipped)
    first, second = read_inseq(path), read_inseq(path, step=1)
    assert first.scores.tolist() == scores[:3, 0].tolist()
    assert second.scores.tolist() == scores[:4, 1].tolist()
    assert (first.tokens, second.tokens) == (tuple(tokens[:3]), tuple(tokens[:4]))
    assert second.ids == (1, 7, 8, 9)
    assert first.method == "imported:inseq"
    assert first.options == {
        "attribution_method": "saliency", "attributed_fn": "probability_fn", "model_name": "made-up",
        "step": 0, "reduction": None,
    }  # fmt: skip


def test_inseq_reductions(tmp_path):
    scores = two_steps((4,))
    path = inseq_file(tmp_path / "out.json", list("abcde"), scores, 3)
    assert read_inseq(path, reduction="sum").scores.tolist() == scores[:3, 0].sum(-1).tolist()
    assert read_inseq(path, reduction="l2").scores.tolist() == pytest.approx(scores[:3, 0].norm(dim=-1).tolist())
    attention = inseq_file(tmp_path / "attention.json", list("abcde"), scores.view(5, 2, 2, 2), 3)
    assert read_inseq(attention, reduction="mean").scores.tolist() == scores[:3, 0].mean(-1).tolist()
    with pytest.raises(AttribookError, match="4 numbers a token"):
        read_inseq(path)


def test_inseq_refusals(tmp_path):
    path = inseq_file(tmp_path / "out.json", list("abcde"), two_steps(), 3)
    with pytest.raises(AttribookError, match="1 sequences"):
        read_inseq(path, sequence=1)
    with pytest.raises(AttribookError, match="explains 2 tokens"):
        read_inseq(path, step=2)
    with pytest.raises(AttribookError, match=r"token 3 \('d'\) is nan"):
        read_inseq(inseq_file(tmp_path / "late.json", list("abcde"), two_steps(), 4))
    small = inseq_file(tmp_path / "small.json", list("abcde"), two_steps().to(torch.float8_e4m3fn), 3)
    with pytest.raises(AttribookError, match="float8"):
        read_inseq(small)
    saved = json.loads(path.read_text(encoding="utf-8"))
    saved["attributes"]["sequence_attributions"][0]["attributes"]["target_attributions"] = None
    path.write_text(json.dumps(saved), encoding="utf-8")
    with pytest.raises(AttribookError, match="encoder-decoder"):
        read_inseq(path)
    for text in ("{}", "[1]", "no JSON", '{"info": {}, "sequence_attributions": []}'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(AttribookError, match="not an output that Inseq saved"):
            read_inseq(path)
    with pytest.raises(AttribookError, match="Cannot read"):
        read_inseq(tmp_path / "missing.json")


def test_same_tokens_are_aligned(tiny):
    encoding = tiny.encode(PROMPT)
    scores = ramp(len(encoding))
    for tokens in (encoding.tokens, vocabulary(tiny, encoding), [token.strip(" ") for token in encoding.tokens]):
        found = aligned(from_scores(tokens, scores), encoding)
        assert found.scores.tolist() == scores
        assert found.tokens == tuple(encoding.tokens)
        assert found.details == {"specials_dropped": 0, "specials_added": 0}
    other_spelling = from_scores([f"token {i}" for i in range(len(encoding))], scores, ids=encoding.ids.tolist())
    assert aligned(other_spelling, encoding).scores.tolist() == scores


def test_a_bos_more_or_less_is_not_a_shift(tiny):
    encoding = tiny.encode(PROMPT)
    words = encoding.attributable.nonzero()[:, 0].tolist()
    first, after = words[0], len(encoding) - words[-1] - 1  # special tokens at the two ends
    entries = vocabulary(tiny, encoding)
    bare, before, behind = entries[first : words[-1] + 1], entries[:first], entries[words[-1] + 1 :]
    scores = [float(i + 1) for i in range(len(bare))]
    for count in range(3):
        leading = before[:count] if first >= count else [(before or ["<s>"])[0]] * count
        imported = from_scores([*leading, *bare], [100.0] * count + scores)
        found = aligned(imported, encoding)
        assert found.scores[first : words[-1] + 1].tolist() == scores
        assert found.scores[:first].tolist() == ([100.0] if count else [0.0])[:first]
        assert found.details["specials_dropped"] == max(0, count - first)
        assert found.details["specials_added"] == max(0, first - count) + after
    whole = aligned(from_scores([*before, *bare, *behind], ramp(len(encoding))), encoding)
    assert whole.scores.tolist() == ramp(len(encoding))
    more = aligned(from_scores([*before, *bare, *behind, "</s>"], [*ramp(len(encoding)), 100.0]), encoding)
    assert more.scores.tolist() == ramp(len(encoding))
    assert more.details == {"specials_dropped": 1, "specials_added": 0}


def test_another_models_bos_is_dropped_and_ours_gets_0():
    encoding = load_model("tiny-llama").encode("the old")
    found = aligned(from_scores(["<|endoftext|>", "the", " old"], [9.0, 1.0, 2.0]), encoding)
    assert found.scores.tolist() == [0.0, 1.0, 2.0]
    assert found.details == {"specials_dropped": 1, "specials_added": 1}


def test_other_tokens_are_refused(tiny):
    encoding = tiny.encode(PROMPT)
    words, entries = (
        [token for token, is_word in zip(tokens, encoding.attributable, strict=True) if is_word]
        for tokens in (encoding.tokens, encoding.entries)
    )
    cases = {
        f"number 3 is ' a' there, {words[2]!r} here": [*words[:2], " a", *words[3:]],
        "is nothing there": words[:-1],
        "nothing here": [*words, " more"],
        f"number 1 is {words[1]!r} there": words[1:],
        "number 2 is 'other' there": [*entries[:1], "other", *entries[2:]],
    }
    for message, tokens in cases.items():
        with pytest.raises(AttribookError, match=message):
            aligned(from_scores(tokens, ramp(len(tokens))), encoding)


def test_a_tag_at_the_beginning_of_the_prompt_is_text():
    encoding = load_model("tiny-gpt2").encode("<b>the")
    found = aligned(from_scores(encoding.tokens, ramp(len(encoding))), encoding)
    assert found.scores.tolist() == ramp(len(encoding))


def test_the_example_of_the_book_runs(smollm, tmp_path, monkeypatch, capsys):
    text = (ROOT / "book" / "own_model.md").read_text(encoding="utf-8")
    (example,) = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "from_scores" in block]
    assert smollm.name in example
    monkeypatch.chdir(tmp_path)
    exec(example, {})  # the page's own words
    said = capsys.readouterr().out
    assert re.search(r"imported:mine: Soft-NC \d\.\d{3}\nits own scores, permuted: Soft-NC \d\.\d{3}", said)
    assert "attribook-heat" in (tmp_path / "explanation.html").read_text(encoding="utf-8")


def test_metrics_take_imported_scores(tiny):
    encoding = tiny.encode("the old day")
    imported = aligned(from_scores(encoding.tokens, torch.rand(len(encoding), generator=seeded())), encoding)
    protocol = {"distance": "hellinger", "scores_as": "clip_sum", "draws": 2, "specials": "keep"}
    result = METRICS["soft_nc"](tiny, encoding, imported.scores, generator=seeded(), **protocol)
    assert bool(torch.isfinite(result.values).all())
