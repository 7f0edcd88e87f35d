"""GlobEnc, ALTI and DecompX against plain loops over heads and tokens in float64, from the weights alone."""

import math
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from attribook.attribution import decomposition
from attribook.attribution.alti import alti, nearness
from attribook.attribution.decompx import (
    BIAS_RULES,
    class_vectors,
    decompx,
    shares,
    slope,
    start_vectors,
    through_layer,
)
from attribook.attribution.globenc import globenc, lengths
from attribook.errors import AttribookError
from attribook.models.engine import Engine
from attribook.models.load import load_model

EXACT = 1e-8  # float64: sums in another order differ by about 1e-15 of the terms, which are below 1e3
SIZES = {"vocab_size": 40, "max_position_embeddings": 40, "num_labels": 3}
BERT_SIZES = {
    **SIZES, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
    "layer_norm_eps": 1e-2,
}  # fmt: skip
BERT_NAMES = {
    "layer": "{base}.encoder.layer.{l}.",
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
    "o": "attention.output.dense", "norm1": "attention.output.LayerNorm",
    "in": "intermediate.dense", "out": "output.dense", "norm2": "output.LayerNorm",
}  # fmt: skip
DISTILBERT_NAMES = {
    "layer": "{base}.transformer.layer.{l}.",
    "q": "attention.q_lin", "k": "attention.k_lin", "v": "attention.v_lin", "o": "attention.out_lin",
    "norm1": "sa_layer_norm", "in": "ffn.lin1", "out": "ffn.lin2", "norm2": "output_layer_norm",
}  # fmt: skip
HEADS = {
    "bert": ("bert.pooler.dense", torch.tanh, "classifier"),
    "roberta": ("classifier.dense", torch.tanh, "classifier.out_proj"),
    "distilbert": ("pre_classifier", torch.relu, "classifier"),
}
FAMILIES = list(HEADS)


@dataclass
class Sentence:
    """What the methods read of an encoding."""

    ids: torch.Tensor
    target: int = 1
    reads: int = 0
    text: str = "a sentence"

    def __len__(self):
        return len(self.ids)


SENTENCE = Sentence(torch.tensor([3, 17, 8, 25, 17, 30, 4]))


def build(family, activation="gelu", *, seed=0, dtype=torch.float64):
    """A random classifier whose biases and layer norms matter."""
    if family == "bert":
        network = BertForSequenceClassification(BertConfig(**BERT_SIZES, hidden_act=activation))
    elif family == "roberta":
        network = RobertaForSequenceClassification(RobertaConfig(**BERT_SIZES, hidden_act=activation))
    else:
        sizes = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64}
        network = DistilBertForSequenceClassification(DistilBertConfig(**SIZES, **sizes, activation=activation))
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in network.named_parameters():
        parameter.data.normal_(std=0.25, generator=generator)
        if name.endswith("orm.weight"):  # LayerNorm, layer_norm
            parameter.data.add_(1)
    network = network.to(dtype).eval().requires_grad_(False)
    given = {"kind": "sequence_classifier", "name": f"tiny {family}", "family": family}
    return SimpleNamespace(network=network, engine=Engine(network), **given)


@pytest.fixture(params=FAMILIES)
def encoder(request):
    return build(request.param)


class Slow:
    """The network and its linearised parts, one vector at a time, from the weights under transformers' names."""

    def __init__(self, network, ids):
        self.weights = network.state_dict()
        self.base = network.config.model_type
        self.names = DISTILBERT_NAMES if self.base == "distilbert" else BERT_NAMES
        self.eps = getattr(network.config, "layer_norm_eps", 1e-12)
        act = network.config.activation if self.base == "distilbert" else network.config.hidden_act
        self.act = {"gelu": functional.gelu, "relu": functional.relu}[act]
        self.embedded = getattr(network, self.base).embeddings(input_ids=ids[None])[0]
        self.T, self.H, self.L = len(ids), 4, 2

    def matrix(self, part, layer):
        prefix = self.names["layer"].format(base=self.base, l=layer) + self.names[part]
        return self.weights[prefix + ".weight"], self.weights[prefix + ".bias"]

    def apply(self, part, layer, v):
        weight, bias = self.matrix(part, layer)
        return weight @ v + bias

    def norm(self, part, layer, v, state):
        """Linear layer norm of a vector, with the statistics of `state`; and its bias."""
        gamma, beta = self.matrix(part, layer)
        mean = sum(state.tolist()) / len(state)
        s = math.sqrt(sum((a - mean) ** 2 for a in state.tolist()) / len(state) + self.eps)
        return (v - v.mean()) / s * gamma, beta

    def whole_norm(self, part, layer, state):
        linear, beta = self.norm(part, layer, state, state)
        return linear + beta

    def alpha(self, layer, x, head, i):
        width = len(x[0]) // self.H
        rows = slice(head * width, (head + 1) * width)
        q = self.apply("q", layer, x[i])[rows]
        dots = [math.exp(float(q @ self.apply("k", layer, x[j])[rows]) / math.sqrt(width)) for j in range(self.T)]
        return [dot / sum(dots) for dot in dots]

    def head_map(self, layer, head, v, bias):
        """W_O^h (W_V^h v [+ b_V^h])."""
        (w_v, b_v), (w_o, _) = self.matrix("v", layer), self.matrix("o", layer)
        width = len(v) // self.H
        rows = slice(head * width, (head + 1) * width)
        return w_o[:, rows] @ (w_v[rows] @ v + (b_v[rows] if bias else 0))

    def layer(self, layer, x):
        """All that a layer computes: attention weights [i][h][j], attended, z, hidden, summed, output."""
        alphas = [[self.alpha(layer, x, h, i) for h in range(self.H)] for i in range(self.T)]
        attended, z, hidden, summed, out = [], [], [], [], []
        for i in range(self.T):
            total = x[i] + self.matrix("o", layer)[1]
            for h in range(self.H):
                for j in range(self.T):
                    total = total + alphas[i][h][j] * self.head_map(layer, h, x[j], bias=True)
            attended.append(total)
            z.append(self.whole_norm("norm1", layer, total))
            hidden.append(self.apply("in", layer, z[-1]))
            summed.append(z[-1] + self.apply("out", layer, self.act(hidden[-1])))
            out.append(self.whole_norm("norm2", layer, summed[-1]))
        return alphas, attended, z, hidden, summed, out

    def transformed(self, layer, x, alphas, attended, i, j, bias):
        total = x[i] if i == j else torch.zeros_like(x[i])
        for h in range(self.H):
            total = total + alphas[i][h][j] * self.head_map(layer, h, x[j], bias)
        return self.norm("norm1", layer, total, attended[i])[0]

    def scores(self, method, bias):
        x, product = list(self.embedded), None
        for layer in range(self.L):
            alphas, attended, z, _, summed, out = self.layer(layer, x)
            rows = []
            for i in range(self.T):
                row = []
                for j in range(self.T):
                    vector = self.transformed(layer, x, alphas, attended, i, j, bias)
                    if method == "globenc":
                        row.append(math.sqrt(float((self.norm("norm2", layer, vector, summed[i])[0] ** 2).sum())))
                    else:
                        near = sum(abs(a) for a in z[i].tolist()) - sum(abs(a) for a in (z[i] - vector).tolist())
                        row.append(max(0.0, near))
                rows.append([value / sum(row) for value in row])
            if product is None:
                product = rows
            else:
                product = [
                    [sum(rows[i][m] * product[m][j] for m in range(self.T)) for j in range(self.T)]
                    for i in range(self.T)
                ]
            x = out
        return torch.tensor(product[0], dtype=torch.float64)

    def shared(self, vectors, bias, rule):
        """Vectors of the tokens, with the bias shared out."""
        if rule == "absdot":
            raw = [abs(float(v @ bias)) for v in vectors]
        elif rule == "norm":
            raw = [math.sqrt(float(v @ v)) for v in vectors]
        elif rule == "abssim":
            raw = [abs(float(v @ bias)) / math.sqrt(float(v @ v) * float(bias @ bias) or 1) for v in vectors]
        elif rule == "equal":
            raw = [1.0] * len(vectors)
        else:
            raw = [1.0] + [0.0] * (len(vectors) - 1)
        return [v + w / sum(raw) * bias for v, w in zip(vectors, raw, strict=True)]

    def decompx(self, rule, target):
        x = list(self.embedded)
        parts = [[x[i] if k == i else torch.zeros_like(x[i]) for k in range(self.T)] for i in range(self.T)]
        for layer in range(self.L):
            alphas, attended, _, hidden, summed, out = self.layer(layer, x)
            (_, b_v), (w_o, b_o) = self.matrix("v", layer), self.matrix("o", layer)
            (w_in, b_in), (w_out, b_out) = self.matrix("in", layer), self.matrix("out", layer)
            after = []
            for i in range(self.T):
                vectors = [
                    sum(
                        alphas[i][h][j] * self.head_map(layer, h, parts[j][k], bias=False)
                        for h in range(self.H)
                        for j in range(self.T)
                    )
                    for k in range(self.T)
                ]
                vectors = self.shared(vectors, w_o @ b_v + b_o, rule)
                vectors = [v + parts[i][k] for k, v in enumerate(vectors)]
                beta = self.matrix("norm1", layer)[1]
                z = self.shared([self.norm("norm1", layer, v, attended[i])[0] for v in vectors], beta, rule)
                inner = self.shared([w_in @ v for v in z], b_in, rule)
                factor = self.act(hidden[i]) / hidden[i]
                ffn = self.shared([w_out @ (factor * v) for v in inner], b_out, rule)
                beta = self.matrix("norm2", layer)[1]
                vectors = [self.norm("norm2", layer, a + b, summed[i])[0] for a, b in zip(ffn, z, strict=True)]
                after.append(self.shared(vectors, beta, rule))
            parts, x = after, out
        dense, act, classifier = HEADS[self.base]
        w, b = self.weights[dense + ".weight"], self.weights[dense + ".bias"]
        true = w @ x[0] + b
        factor = torch.where(true > 0, 1.0, 0.0) if act is torch.relu else torch.tanh(true) / true
        vectors = [factor * v for v in self.shared([w @ v for v in parts[0]], b, rule)]
        w, b = self.weights[classifier + ".weight"], self.weights[classifier + ".bias"]
        return torch.stack([v[target] for v in self.shared([w @ v for v in vectors], b, rule)])


@pytest.mark.parametrize("value_bias", [True, False])
@pytest.mark.parametrize("method", [globenc, alti], ids=lambda method: method.name)
def test_rollout_methods_by_their_formulas(encoder, method, value_bias):
    slow = Slow(encoder.network, SENTENCE.ids).scores(method.name, value_bias)
    ours = method(encoder, SENTENCE, value_bias=value_bias)
    torch.testing.assert_close(ours.scores, slow, atol=EXACT, rtol=0)
    assert (ours.cost.forwards, ours.cost.backwards, ours.cost.tokens) == (1, 0, len(SENTENCE))


@pytest.mark.parametrize("rule", BIAS_RULES)
@pytest.mark.parametrize("activation", ["gelu", "relu"])
@pytest.mark.parametrize("family", FAMILIES)
def test_decompx_by_its_formula_and_sums_to_the_logit(family, activation, rule):
    model = build(family, activation)
    logits = model.network(input_ids=SENTENCE.ids[None]).logits[0]
    for target in range(3):
        ours = decompx(model, replace(SENTENCE, target=target), bias=rule)
        assert float(ours.scores.sum()) == pytest.approx(float(logits[target]), abs=EXACT)
        assert abs(ours.details["completeness_gap"]) < EXACT
        if target == 1:
            slow = Slow(model.network, SENTENCE.ids).decompx(rule, target)
            torch.testing.assert_close(ours.scores, slow, atol=EXACT, rtol=0)
    assert ours.cost.forwards == 1


@pytest.mark.parametrize("rule", BIAS_RULES)
def test_decomposed_vectors_sum_to_the_hidden_state_at_every_layer(encoder, rule):
    with torch.no_grad():
        states = encoder.network(input_ids=SENTENCE.ids[None], output_hidden_states=True).hidden_states
    trace = decomposition.traced(encoder, SENTENCE)
    vectors = start_vectors(trace)
    torch.testing.assert_close(vectors.sum(1), states[0][0], atol=0, rtol=0)
    for state, after in zip(trace.layers, states[1:], strict=True):
        vectors = through_layer(state, vectors, slice(0, len(SENTENCE)), rule)
        torch.testing.assert_close(vectors.sum(1), after[0], atol=EXACT, rtol=0)


def test_what_a_layer_computed_is_what_the_network_computed(encoder):
    seen = {}
    trace = decomposition.traced(encoder, SENTENCE)
    for number, state in enumerate(trace.layers):
        for name in ("norm1", "norm2", "ffn_in"):
            module = getattr(state.parts, name)
            module.register_forward_hook(
                lambda _, given, got, key=(number, name): seen.update({key: (given[0][0], got[0])})
            )
    encoder.network(input_ids=SENTENCE.ids[None])
    for number, state in enumerate(trace.layers):
        torch.testing.assert_close(state.attended, seen[number, "norm1"][0], atol=EXACT, rtol=0)
        torch.testing.assert_close(state.z, seen[number, "norm1"][1], atol=EXACT, rtol=0)
        torch.testing.assert_close(state.hidden, seen[number, "ffn_in"][1], atol=EXACT, rtol=0)
        torch.testing.assert_close(state.summed, seen[number, "norm2"][0], atol=EXACT, rtol=0)


@pytest.mark.parametrize("contribution", [lengths, nearness])
def test_rows_sum_to_one_before_and_after_rollout(encoder, contribution):
    maps = decomposition.layer_maps(decomposition.traced(encoder, SENTENCE), contribution, value_bias=True)
    ones = torch.ones(len(SENTENCE), dtype=torch.float64)
    for rows in (*maps, decomposition.rollout(maps)):
        assert bool((rows >= 0).all())
        torch.testing.assert_close(rows.sum(-1), ones, atol=1e-12, rtol=0)


def test_globenc_lengths_before_rows_are_divided(encoder):
    slow, (state, _) = Slow(encoder.network, SENTENCE.ids), decomposition.traced(encoder, SENTENCE).layers
    x = list(slow.embedded)
    alphas, attended, _, _, summed, _ = slow.layer(0, x)
    for rows, vectors in decomposition.block_vectors(state, True):
        ours = lengths(state, rows, vectors)
        for i in range(slow.T):
            for j in range(slow.T):
                vector = slow.transformed(0, x, alphas, attended, i, j, True)
                (final, _) = slow.norm("norm2", 0, vector, summed[i])
                assert float(ours[i, j]) == pytest.approx(math.sqrt(float(final @ final)), abs=EXACT)


def test_globenc_does_not_see_what_the_last_feed_forward_network_does(encoder):
    before = globenc(encoder, SENTENCE).scores
    last = decomposition.traced(encoder, SENTENCE).layers[-1].parts
    last.ffn_out.weight.mul_(5)
    torch.testing.assert_close(globenc(encoder, SENTENCE).scores, before, atol=1e-12, rtol=0)
    last.norm2.weight.copy_(torch.linspace(0, 2, len(last.norm2.weight)))
    assert not torch.allclose(globenc(encoder, SENTENCE).scores, before, atol=1e-3)


def test_a_token_that_attention_cuts_off_scores_zero(encoder):
    trace = decomposition.traced(encoder, SENTENCE)
    cut, layers = 3, []
    for state in trace.layers:
        weights = state.weights.clone()
        weights[:, :, cut] = 0
        weights[:, cut, cut] = 1  # it still sees itself
        x = layers[-1].parts.norm2(layers[-1].summed) if layers else state.x
        layers.append(decomposition.layer_state(state.parts, x, weights / weights.sum(-1, keepdim=True)))
    last = layers[-1].parts.norm2(layers[-1].summed)
    forced = decomposition.Trace(trace.parts, layers, last, trace.logits)
    for rule in ("absdot", "norm", "abssim"):
        assert bool((class_vectors(forced, 0, rule)[cut] == 0).all())
        assert bool((class_vectors(forced, 0, rule)[[0, 1, 2, 4, 5, 6]] != 0).all())
    assert bool((class_vectors(forced, 0, "equal")[cut] != 0).any())
    for contribution in (lengths, nearness):
        maps = decomposition.layer_maps(forced, contribution, value_bias=True)
        assert float(decomposition.rollout(maps)[0, cut]) == 0


def test_by_hand():
    vectors = torch.tensor([[1.0, 0.0], [0.0, -3.0]])
    bias = torch.tensor([2.0, 1.0])  # dot products 2 and -3
    torch.testing.assert_close(shares(vectors, bias, "absdot"), torch.tensor([0.4, 0.6]))
    torch.testing.assert_close(shares(vectors, bias, "norm"), torch.tensor([0.25, 0.75]))
    torch.testing.assert_close(shares(vectors, bias, "abssim"), torch.tensor([2 / 3, 1 / 3]))
    assert shares(vectors, bias, "equal").tolist() == [0.5, 0.5]
    assert shares(vectors, bias, "cls").tolist() == [1, 0]
    assert shares(torch.zeros(2, 2), bias, "absdot").tolist() == [0.5, 0.5]
    z = torch.tensor([0.0, 2.0, -2.0])
    assert slope(torch.relu, z).tolist() == [1, 1, 0]
    torch.testing.assert_close(slope(functional.gelu, z), torch.tensor([0.5, 0.97725, 0.02275]), atol=1e-5, rtol=0)
    # A norm of the state (3, 1): mean 2, deviation 1. Its parts (3, 0) and (0, 1) keep their own means.
    norm = torch.nn.LayerNorm(2, eps=0)
    norm.weight.data = torch.tensor([2.0, 1.0])
    found = decomposition.linear_norm(norm, torch.tensor([[[3.0, 0.0], [0.0, 1.0]]]), torch.tensor([[3.0, 1.0]]))
    assert found.tolist() == [[[3.0, -1.5], [-1.0, 0.5]]]
    # y = (2, -1), size 3; T = (1, 0) is 2 away, T = (0, 2) 5 away
    state = SimpleNamespace(z=torch.tensor([[2.0, -1.0]]))
    assert nearness(state, slice(0, 1), torch.tensor([[[1.0, 0.0], [0.0, 2.0]]])).tolist() == [[1, 0]]
    maps = torch.tensor([[[1.0, 0.0], [0.5, 0.5]], [[0.2, 0.8], [0.0, 1.0]]])
    torch.testing.assert_close(decomposition.rollout(maps), torch.tensor([[0.6, 0.4], [0.5, 0.5]]))


@pytest.mark.parametrize("method", [globenc, alti, decompx], ids=lambda method: method.name)
def test_attention_is_switched_to_eager_and_back(encoder, method):
    scores = {}
    for kind in ("eager", "sdpa"):
        encoder.network.set_attn_implementation(kind)
        scores[kind] = method(encoder, SENTENCE).scores
        assert encoder.network.config._attn_implementation == kind
    assert torch.equal(scores["eager"], scores["sdpa"])
    with pytest.raises(IndexError):
        method(encoder, replace(SENTENCE, ids=torch.tensor([3, 999, 4])))  # no such word
    assert encoder.network.config._attn_implementation == "sdpa"


@pytest.mark.parametrize("method", [globenc, alti, decompx], ids=lambda method: method.name)
def test_rows_in_chunks_change_nothing(encoder, method, monkeypatch):
    whole = method(encoder, SENTENCE).scores
    for numbers in (1, 2 * len(SENTENCE) * 64):
        monkeypatch.setattr(decomposition, "CHUNK", numbers)
        torch.testing.assert_close(method(encoder, SENTENCE).scores, whole, atol=1e-12, rtol=0)


def test_float32_is_close_to_float64(encoder):
    single = build(encoder.network.config.model_type, dtype=torch.float32)
    for method in (globenc, alti, decompx):
        torch.testing.assert_close(
            method(single, SENTENCE).scores, method(encoder, SENTENCE).scores, atol=1e-4, rtol=1e-3
        )


def test_bad_input_says_what_to_do():
    causal = load_model("tiny-gpt2")
    encoding = causal.encode("In the capital of Japan")
    for method in (globenc, alti, decompx):
        with pytest.raises(AttribookError, match=r"a causal language model .*Use integrated_gradients"):
            method(causal, encoding)
    with pytest.raises(AttribookError, match="Choose one of: absdot, norm, equal, abssim, cls"):
        decompx(build("bert"), SENTENCE, bias="dot")
    with pytest.raises(AttribookError, match="not 0 at 0"):
        decompx(build("bert", "sigmoid"), SENTENCE)
    trace = decomposition.traced(build("bert"), SENTENCE)
    with pytest.raises(AttribookError, match="No token contributes to position 0 in layer 1"):
        decomposition.layer_maps(trace, lambda *_: torch.zeros(7, 7), value_bias=True)
