"""The kinds of explained model beside the causal one, and the table of families, held against the networks."""

import pytest
import torch
from conftest import seeded

from attribook.attribution.registry import METHODS, explain
from attribook.errors import AttribookError
from attribook.metrics.registry import METRICS
from attribook.models.causal import CausalLM
from attribook.models.classifier import SequenceClassifier
from attribook.models.edits import Embed, Replace
from attribook.models.families import ENCODERS, find_family
from attribook.models.load import load_model
from attribook.models.prompted import PromptedClassifier
from attribook.models.templates import SENTIMENT, Template
from attribook.models.tiny import CLASSIFIERS, tiny_model

TEXT = "the story of my old friend is a negative review"


# -- families ----------------------------------------------------------------------------------------------------


def test_every_tiny_family_is_in_the_table(tiny):
    family = find_family(tiny.family)
    assert family is not None
    kind = SequenceClassifier if family.name in ENCODERS else CausalLM
    assert type(tiny) is kind


def test_embeddings_are_scaled_where_the_table_says(tiny):
    table = tiny.network.get_input_embeddings().weight
    factor = table.shape[1] ** 0.5 if find_family(tiny.family).embedding == "scaled" else 1.0
    torch.testing.assert_close(tiny.embed(torch.tensor([7])), factor * table[7][None])


def test_positions_are_learned_or_rotary_as_the_table_says(tiny):
    names = [name for name, _ in tiny.network.named_parameters()]
    learned = any("position_embeddings" in name or "wpe" in name or "embed_positions" in name for name in names)
    assert ("learned" if learned else "rotary") == find_family(tiny.family).positions


def test_the_window_is_all_positions_that_tokens_get(family):
    model = load_model(f"tiny-{family}")
    window = model.network.config.max_position_embeddings
    if find_family(model.family).after_padding:
        window -= model.network.config.pad_token_id + 1
    specials = int((~model.encode("a").attributable).sum())
    piece = "a " if family in {"bert", "distilbert"} else " a"
    full = model.encode((piece * (window - specials)).strip() if piece == "a " else piece * (window - specials))
    assert len(full) == window
    with pytest.raises(AttribookError, match="context window"):
        model.encode(full.text + " a")


def test_the_prediction_is_read_where_the_table_says(tiny):
    # Only the read position's last hidden state reaches the answer: changing another one's does nothing.
    encoding, family = tiny.encode(TEXT), find_family(tiny.family)
    assert encoding.reads == (0 if family.reads == "first" else len(encoding) - 1)
    seen = {}
    base = tiny.network.base_model
    base = getattr(base, "decoder", base)
    hook = base.register_forward_hook(lambda m, given, out: seen.__setitem__("hidden", out))
    try:
        leaf = encoding.embeds[None].clone().requires_grad_()
        logits = tiny.engine.logits(leaf)[0]
        hidden = seen["hidden"].last_hidden_state
        (grad,) = torch.autograd.grad(logits[0, encoding.target], hidden)
    finally:
        hook.remove()
    moved = grad[0].abs().sum(-1) > 0  # (T,)
    assert moved.nonzero()[:, 0].tolist() == [encoding.reads]


# -- classifiers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", list(CLASSIFIERS))
def test_a_class_is_explained_by_name(family):
    model = load_model(f"tiny-{family}")
    encoding = model.encode(TEXT)
    assert encoding.target_text in model.labels
    assert float(encoding.distribution.sum()) == pytest.approx(1)
    other = model.encode(TEXT, target=" Negative ")
    assert (other.target, other.target_text) == (0, "negative")
    with pytest.raises(AttribookError, match="The classes are: negative, positive"):
        model.encode(TEXT, target="neutral")


def test_unknown_families_of_classifiers_are_refused():
    network, tokenizer = tiny_model("bert")
    network.config.model_type = "deberta"
    with pytest.raises(AttribookError, match="Known families of classifiers: bert, roberta, distilbert"):
        SequenceClassifier(network, tokenizer, name="mine")


def test_a_saved_classifier_is_loaded_as_one(tmp_path):
    model = load_model("tiny-roberta")
    model.network.save_pretrained(tmp_path)
    model.tokenizer.save_pretrained(tmp_path)
    again = load_model(str(tmp_path))
    assert isinstance(again, SequenceClassifier)
    torch.testing.assert_close(again.encode(TEXT).logits, model.encode(TEXT).logits)
    with pytest.raises(AttribookError, match=r"classifier already: leave out \+sentiment"):
        load_model(f"{tmp_path}+sentiment")


# -- prompted classifiers ----------------------------------------------------------------------------------------


@pytest.fixture
def prompted() -> PromptedClassifier:
    return load_model("tiny-llama+sentiment", dtype="float64")


def whole_ids(model, text):
    parts = [SENTIMENT.before, " " + text, SENTIMENT.after]
    ids = [model.tokenizer(part, add_special_tokens=i == 0)["input_ids"] for i, part in enumerate(parts)]
    return torch.tensor([token for part in ids for token in part])


def test_only_label_tokens_count(prompted):
    encoding = prompted.encode(TEXT)
    ids = whole_ids(prompted, TEXT)
    assert torch.equal(encoding.ids, ids)
    labels = [prompted.tokenizer(word, add_special_tokens=False)["input_ids"][0] for word in SENTIMENT.words]
    logits = prompted.network(input_ids=ids[None]).logits[0, -1, labels]
    torch.testing.assert_close(encoding.distribution, logits.softmax(-1), atol=1e-9, rtol=0)
    assert encoding.target_text == SENTIMENT.labels[int(logits.argmax())]


@pytest.mark.parametrize("name", ["tiny-llama+sentiment", "tiny-gemma3+sentiment"])
def test_a_template_is_computed_once_where_that_is_exact(name):
    model = load_model(name, dtype="float64")
    model.encode("another review")
    before = model.engine.counter.copy()
    again = model.encode(TEXT)
    spent = (model.engine.counter - before).tokens
    # A window shorter than the template keeps no keys and values of it.
    assert spent == len(again) - (0 if "gemma3" in name else again.lead)
    fresh = load_model(name, dtype="float64").encode(TEXT)
    # RMS norm and rotary tables run in float32 inside transformers.
    torch.testing.assert_close(again.logits, fresh.logits, atol=1e-6, rtol=0)


def test_only_the_users_text_is_attributable(prompted):
    encoding = prompted.encode("  " + TEXT, spans={"word": (TEXT.index("friend") + 2, TEXT.index("friend") + 8)})
    own = [t for t, keep in zip(encoding.tokens, encoding.attributable.tolist(), strict=True) if keep]
    assert "".join(own) == "  " + TEXT
    assert torch.equal(encoding.attributable, ~encoding.template)
    assert encoding.lead == len(prompted.before)
    span = [t for t, inside in zip(encoding.tokens, encoding.spans["word"].tolist(), strict=True) if inside]
    assert "".join(span).strip() == "friend"


@pytest.mark.parametrize("name", list(METHODS))
def test_methods_leave_the_template_alone(name, prompted, monkeypatch):
    if METHODS[name].unfit(prompted):
        pytest.skip("the matrix has the reason")
    encoding = prompted.encode("the king is old")
    inside = encoding.template
    seen = []
    groups = {Replace: lambda e: e.ids == encoding.ids, Embed: lambda e: (e.embeds == encoding.embeds).all(-1)}
    read = prompted.read

    def watched(encoding, edits, reader):
        if type(edits) in groups:
            seen.append(bool(groups[type(edits)](edits)[:, inside].all()))
        return read(encoding, edits, reader)

    monkeypatch.setattr(prompted, "read", watched)
    options = {"samples": 40} if name in {"lime", "kernel_shap"} else {}
    options |= {"trials": 2, "steps": 2} if "trials" in METHODS[name].defaults else {}
    options |= {"specials": "perturb"} if "specials" in METHODS[name].defaults else {}
    explain(prompted, encoding, name, generator=seeded(), **options)
    assert all(seen)


def test_gradients_of_a_prompted_classifier_are_the_networks(prompted):
    encoding = prompted.encode(TEXT)
    leaf = encoding.embeds.clone().requires_grad_()
    logits = prompted.network(inputs_embeds=leaf[None]).logits[0, -1, prompted.answers]
    (slow,) = torch.autograd.grad(logits.softmax(-1)[encoding.target], leaf)
    grads, values = prompted.gradients(encoding, encoding.embeds[None])
    # RMS norm and rotary tables run in float32 inside transformers.
    torch.testing.assert_close(grads[0, encoding.lead :], slow[encoding.lead :], atol=1e-6, rtol=0)
    assert float(grads[0, : encoding.lead].abs().max()) == 0
    assert float(values[0]) == pytest.approx(encoding.probability, abs=1e-6)


def test_soft_metrics_leave_the_template_alone(prompted, monkeypatch):
    encoding = prompted.encode(TEXT)
    read = prompted.read

    def watched(encoding, edits, reader):
        kept = edits.embeds[:, encoding.template] == encoding.embeds[encoding.template]
        assert bool(kept.all())
        return read(encoding, edits, reader)

    monkeypatch.setattr(prompted, "read", watched)
    scores = torch.rand(len(encoding), generator=seeded(), dtype=torch.float64)
    for name in ("soft_nc", "soft_ns"):
        found = METRICS[name](prompted, encoding, scores, generator=seeded(), specials="mask")
        assert found.status == "ok"


def test_labels_that_begin_alike_are_refused():
    network, tokenizer = tiny_model("gpt2")
    alike = Template("alike", "Say", ":", ("a", "b"), (" QA", " QB"))
    with pytest.raises(AttribookError, match="begin with the same token"):
        PromptedClassifier(network, tokenizer, template=alike, name="mine")


def test_unknown_templates_say_what_is_known():
    with pytest.raises(AttribookError, match="Known: sentiment"):
        load_model("tiny-gpt2+sentimental")
