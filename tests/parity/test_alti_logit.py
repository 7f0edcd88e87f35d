"""ALTI-Logit against plain loops over its formula, in float64, and against the network's own logit."""

import importlib
import types

import pytest
import torch
from conftest import PROMPT
from torch import nn
from transformers import AutoModelForCausalLM, LlamaConfig, OPTConfig

from attribook.attribution.decoder_parts import Layer, trace
from attribook.attribution.registry import explain
from attribook.errors import AttribookError
from attribook.models.causal import CausalLM
from attribook.models.explained import eager_attention
from attribook.models.load import load_model
from attribook.models.tiny import tiny_tokenizer

alti = importlib.import_module("attribook.attribution.alti_logit")  # the method hides the module of its name
EXACT = 1e-8  # float64: sums in another order
OTHER_KERNEL = 1e-5  # sdpa keeps float64 where eager attention takes its softmax in float32: 2.5e-7 was seen
SUPPORTED = ["gpt2", "opt_prenorm", "llama", "mistral", "qwen2"]
REFUSED = {"opt": "post-norm, as OPT-350m", "gemma2": "normalises what a block gives", "gptj": "side by side"}
REFUSED["gemma3"] = REFUSED["gemma2"]
ALL = {"mlp": "carried", "embedding": "carried"}


@pytest.fixture(params=SUPPORTED)
def decoder(request) -> CausalLM:
    return spread(load_model(f"tiny-{request.param}", dtype="float64"))


def spread(model: CausalLM) -> CausalLM:
    """Biases and norm weights that are not 0 and 1, and RMS norms that stay in float64 (transformers' do not)."""
    chance = torch.Generator().manual_seed(3)
    for parameter in model.network.parameters():
        if parameter.dim() == 1:
            parameter.data += 0.3 * torch.randn(parameter.shape, generator=chance, dtype=parameter.dtype)
    for module in model.network.modules():
        if hasattr(module, "variance_epsilon"):
            module.forward = types.MethodType(rms_norm, module)
    return model


def rms_norm(norm, state):
    return norm.weight * state / (state.square().mean(-1, keepdim=True) + norm.variance_epsilon).sqrt()


def eager_logit(model: CausalLM, encoding) -> float:
    with eager_attention(model.network), torch.no_grad():
        return float(model.network(input_ids=encoding.ids[None]).logits[0, -1, encoding.target])


# -- the formula again, in loops ---------------------------------------------------------------------------------


def layer_weights(network, layer):
    """norm, W_V (rows by value head), b_V, W_O (D, H * width), b_O, second norm, MLP; one way for each family."""
    kind = network.config.model_type
    if kind == "gpt2":
        D = network.config.n_embd
        fused, out = layer.attn.c_attn, layer.attn.c_proj
        return (layer.ln_1, fused.weight.T[2 * D :], fused.bias[2 * D :], out.weight.T, out.bias, layer.ln_2, layer.mlp)
    a = layer.self_attn
    if kind == "opt":

        def mlp(x):
            return layer.fc2(layer.activation_fn(layer.fc1(x)))

        out = a.out_proj
        norms = layer.self_attn_layer_norm, layer.final_layer_norm
    else:
        mlp, out = layer.mlp, a.o_proj
        norms = layer.input_layernorm, layer.post_attention_layernorm
    zero = torch.zeros(1, dtype=torch.float64)
    b_v = zero.expand(len(a.v_proj.weight)) if a.v_proj.bias is None else a.v_proj.bias
    b_o = zero.expand(len(out.weight)) if out.bias is None else out.bias
    return norms[0], a.v_proj.weight, b_v, out.weight, b_o, norms[1], mlp


@torch.no_grad()
def slow_alti_logit(model, encoding, mlp_carried, embedding_carried, biases_carried):
    network, config = model.network, model.network.config
    body = {"gpt2": lambda: network.transformer, "opt": lambda: network.model.decoder}.get(
        config.model_type, lambda: network.model
    )()
    layers = body.h if config.model_type == "gpt2" else body.layers
    final = {"gpt2": "ln_f", "opt": "final_layer_norm"}.get(config.model_type, "norm")
    final = getattr(body, final)
    with eager_attention(network):
        seen = network(input_ids=encoding.ids[None], output_hidden_states=True, output_attentions=True)
    T, t, D = len(encoding), len(encoding) - 1, config.hidden_size
    H = config.num_attention_heads
    G, width = getattr(config, "num_key_value_heads", None) or H, D // H
    updates, sources, mixings, mlps, constants = [], [], [[[float(i == j) for j in range(T)] for i in range(T)]], [], []
    for number, layer in enumerate(layers):
        x = seen.hidden_states[number][0]
        A = seen.attentions[number][0]
        norm, W_V, b_V, W_O, b_O, second, mlp = layer_weights(network, layer)
        beta = getattr(norm, "bias", None)
        beta = torch.zeros(D, dtype=torch.float64) if beta is None else beta
        C = []
        for i in range(T):
            moved, fixed = [], torch.zeros(D, dtype=torch.float64)
            for j in range(T):
                vector = torch.zeros(D, dtype=torch.float64)
                for h in range(H):
                    g = h // (H // G)  # the key-value head of this query head
                    rows = slice(g * width, (g + 1) * width)
                    through = W_O[:, h * width : (h + 1) * width]
                    always = through @ (W_V[rows] @ beta + b_V[rows])
                    value = through @ (W_V[rows] @ (norm(x[j]) - beta))
                    vector = vector + A[h, i, j] * (value + always if biases_carried else value)
                    fixed = fixed + (0 if biases_carried else A[h, i, j] * always)
                moved.append(vector)
            y = x[i] + sum(moved) + fixed + b_O
            near = []
            for j in range(T):
                rest = y - moved[j] - (x[i] if i == j else 0)
                near.append(max(0.0, float(y.abs().sum() - rest.abs().sum())))
            C.append([value / sum(near) for value in near])
        # the loop ends at i = t, so moved, fixed and y are the last position's
        updates.append(moved)
        sources.append(mixings[-1])
        constants += [b_O, fixed]
        mlps.append(mlp(second(y)[None])[0])
        below = mixings[-1]
        mixings.append([[sum(C[i][k] * below[k][j] for k in range(T)) for j in range(T)] for i in range(T)])
    last = y + mlps[-1]
    layered = isinstance(final, nn.LayerNorm)
    scale = last.var(unbiased=False) + final.eps if layered else last.square().mean() + final.variance_epsilon
    word = network.lm_head.weight[encoding.target]

    def logit(update):
        centred = update - update.mean() if layered else update
        return float((centred / scale.sqrt() * final.weight) @ word)

    scores = [0.0] * T
    for moved, below in zip(updates, sources, strict=True):
        for j in range(T):
            for s in range(T):
                scores[s] += logit(moved[j]) * below[j][s]
    for update, mixing in zip(mlps, mixings[1:], strict=True):
        for s in range(T):
            scores[s] += logit(update) * mixing[t][s] * mlp_carried
    scores[t] += logit(seen.hidden_states[0][0, t]) * embedding_carried
    return scores, {
        "mlp": sum(map(logit, mlps)) * (not mlp_carried),
        "embedding": logit(seen.hidden_states[0][0, t]) * (not embedding_carried),
        "bias": sum(map(logit, constants)) + (float(final.bias @ word) if layered else 0.0),
    }


@pytest.mark.parametrize(
    "options", [{}, ALL, {"biases": "apart"}, {**ALL, "biases": "apart"}, {"mlp": "carried"}], ids=str
)
def test_against_loops_over_the_formula(decoder, options):
    encoding = decoder.encode("In the capital of Japan, it is")
    given = {"mlp": "apart", "embedding": "apart", "biases": "carried", **options}
    slow, details = slow_alti_logit(decoder, encoding, *(given[n] == "carried" for n in given))
    found = explain(decoder, encoding, "alti_logit", **options)
    torch.testing.assert_close(found.scores, torch.tensor(slow, dtype=torch.float64), atol=EXACT, rtol=0)
    for name, value in details.items():
        assert found.details[name] == pytest.approx(value, abs=EXACT)


# -- identities --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("biases", ["carried", "apart"])
@pytest.mark.parametrize("embedding", ["carried", "apart"])
@pytest.mark.parametrize("mlp", ["carried", "apart"])
def test_scores_and_what_is_kept_apart_sum_to_the_logit(decoder, mlp, embedding, biases):
    encoding = decoder.encode(PROMPT, target=" the")
    found = explain(decoder, encoding, "alti_logit", mlp=mlp, embedding=embedding, biases=biases)
    parts = [found.details[name] for name in ("mlp", "embedding", "bias")]
    assert float(found.scores.sum()) + sum(parts) == pytest.approx(eager_logit(decoder, encoding), abs=EXACT)
    assert [parts[0] == 0, parts[1] == 0] == [mlp == "carried", embedding == "carried"]
    assert abs(found.details["completeness_gap"]) < OTHER_KERNEL
    assert found.cost.forwards == 1


def test_in_float32_the_gap_is_that_of_float32():
    model = load_model("tiny-llama")
    found = explain(model, model.encode(PROMPT), "alti_logit")
    assert abs(found.details["completeness_gap"]) < 1e-4  # logits of about 6


def test_rows_of_the_mixing_sum_to_1_and_look_at_nothing_later(decoder):
    encoding = decoder.encode(PROMPT)
    for layer in trace(decoder, encoding, "a test").layers():
        shares, empty = alti.contributions(layer, layer.carried)
        assert empty == 0
        assert bool((shares >= 0).all())
        assert float(shares.triu(1).abs().max()) == 0
        torch.testing.assert_close(shares.sum(1), torch.ones_like(shares[0]), atol=1e-12, rtol=0)


def test_rows_in_blocks_change_nothing(decoder, monkeypatch):
    encoding = decoder.encode(PROMPT)
    whole = explain(decoder, encoding, "alti_logit", **ALL).scores
    monkeypatch.setattr(alti, "BLOCK", 3 * len(encoding) * 32)  # three rows at a time
    torch.testing.assert_close(explain(decoder, encoding, "alti_logit", **ALL).scores, whole, atol=1e-12, rtol=0)


def test_own_embedding_is_the_words_and_the_positions():
    model = spread(load_model("tiny-opt_prenorm", dtype="float64"))
    encoding = model.encode(PROMPT)
    body = model.network.model.decoder
    own = body.embed_tokens.weight[encoding.ids[-1]] + body.embed_positions.weight[len(encoding) - 1 + 2]  # offset 2
    vector, _ = trace(model, encoding, "a test").read(encoding.target)
    found = explain(model, encoding, "alti_logit").details["embedding"]
    assert found == pytest.approx(float(own @ vector), abs=EXACT)


def test_grouped_heads_are_heads_that_share_their_values():
    grouped = spread(load_model("tiny-llama", dtype="float64"))
    config = LlamaConfig(**{**grouped.network.config.to_dict(), "num_key_value_heads": 4})
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.float64)
    weights = grouped.network.state_dict()
    for name in [n for n in weights if "k_proj" in n or "v_proj" in n]:
        heads = weights[name].reshape(2, 8, 32)  # two key-value heads of width 8
        weights[name] = torch.stack([heads[0], heads[0], heads[1], heads[1]]).reshape(32, 32)
    plain.load_state_dict(weights)
    plain = CausalLM(plain, grouped.tokenizer, name="plain")
    for module in plain.network.modules():
        if hasattr(module, "variance_epsilon"):
            module.forward = types.MethodType(rms_norm, module)
    scores = [explain(m, m.encode(PROMPT), "alti_logit", **ALL).scores for m in (grouped, plain)]
    torch.testing.assert_close(*scores, atol=EXACT, rtol=0)


# -- by hand -----------------------------------------------------------------------------------------------------


def hand_layer(states, carried, maps):
    one = {"dtype": torch.float64}
    states, carried, maps = (torch.tensor(x, **one) for x in (states, carried, maps))
    attended = torch.einsum("hij,hjd->id", maps, carried)
    zero = torch.zeros(2, **one)
    return Layer(states, attended, zero, maps, carried, zero[None], zero)


def test_contributions_by_hand():
    layer = hand_layer([[1, 0], [0, 2]], [[[2, 0], [0, -1]]], [[[1, 0], [0.5, 0.5]]])
    # Position 1: y = (0, 2) + (1, 0) + (0, -0.5) = (1, 1.5), |y| = 2.5. Without T(x_0) = (1, 0): 1.5, nearness 1.
    # Without T(x_1) + x_1 = (0, 1.5): 1, nearness 1.5. So 0.4 and 0.6.
    shares, empty = alti.contributions(layer, layer.carried)
    torch.testing.assert_close(shares, torch.tensor([[1, 0], [0.4, 0.6]], dtype=torch.float64), atol=1e-15, rtol=0)
    assert empty == 0


def test_a_row_in_which_nothing_is_near_keeps_its_position():
    # Position 1: y = (0, 2) + (0, -2) = 0, and every vector is farther from it than nothing is.
    layer = hand_layer([[1, 0], [0, 2]], [[[0, -2], [0, -2]]], [[[1, 0], [0.5, 0.5]]])
    shares, empty = alti.contributions(layer, layer.carried)
    assert shares[1].tolist() == [0, 1]
    assert empty == 1


# -- what cannot be taken apart, and what is undone --------------------------------------------------------------


@pytest.mark.parametrize("family", list(REFUSED))
def test_other_networks_are_refused_with_the_reason(family):
    model = load_model(f"tiny-{family}")
    encoding = model.encode(PROMPT)
    with pytest.raises(AttribookError, match=REFUSED[family] + ".*integrated_gradients"):
        explain(model, encoding, "alti_logit")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"word_embed_proj_dim": 16}, "projects its embeddings"),
        ({"model_type": "bloom"}, "known for gpt2, opt, llama"),
    ],
)
def test_unusual_and_unknown_networks_are_refused(options, reason):
    model = load_model("tiny-opt_prenorm")
    encoding = model.encode(PROMPT)
    model.network.config.__class__ = type("Config", (OPTConfig,), {"model_type": options.pop("model_type", "opt")})
    for name, value in options.items():
        setattr(model.network.config, name, value)
    with pytest.raises(AttribookError, match=reason):
        explain(model, encoding, "alti_logit")


def test_norms_without_weights_and_projections_without_biases():
    config = OPTConfig(
        **{**load_model("tiny-opt_prenorm").network.config.to_dict(), "layer_norm_elementwise_affine": False,
           "enable_bias": False},
    )  # fmt: skip
    network = AutoModelForCausalLM.from_config(config, dtype=torch.float64)
    model = CausalLM(network, tiny_tokenizer("</s>"), name="bare")
    encoding = model.encode(PROMPT)
    found = explain(model, encoding, "alti_logit", **ALL)
    assert float(found.scores.sum()) == pytest.approx(eager_logit(model, encoding), abs=EXACT)
    assert found.details["bias"] == 0


@pytest.mark.parametrize("broken", [False, True])
def test_the_network_is_left_as_it_was(decoder, broken, monkeypatch):
    encoding = decoder.encode(PROMPT)
    decoder.attentions(encoding)  # transformers sets hooks of its own then, and keeps them
    before = decoder.network.config._attn_implementation, hooks(decoder.network)
    if broken:
        monkeypatch.setattr(decoder.network.lm_head, "forward", lambda state: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            explain(decoder, encoding, "alti_logit")
    else:
        explain(decoder, encoding, "alti_logit")
    assert (decoder.network.config._attn_implementation, hooks(decoder.network)) == before


def hooks(network):
    return [[*module._forward_hooks, *module._forward_pre_hooks] for module in network.modules()]


@pytest.mark.parametrize("name", ["mlp", "embedding", "biases"])
def test_unknown_treatment(name):
    model = load_model("tiny-gpt2")
    with pytest.raises(AttribookError, match=f"{name}='both'.*Choose carried or apart"):
        explain(model, model.encode(PROMPT), "alti_logit", **{name: "both"})
