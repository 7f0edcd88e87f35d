"""What `attribook bench` compares: our methods with the options under which they compute what a peer computes."""

from dataclasses import dataclass, field
from typing import Any

BATCHES = (8, 16)  # a peer runs with the faster of these
STEPS = 50  # of integrated gradients: captum's default, and so Inseq's
PROBES = {"runs": 8, "max_steps": 10}  # of ReAGent
VECTORS = 10  # of Noiser, at one scale: how many scales a search asks depends on the model


@dataclass(frozen=True)
class Comparison:
    """One of our methods and a peer that computes the same, or `none`."""

    method: str
    peer: str
    options: dict[str, Any]  # ours
    note: str
    absolute: bool = False  # the peer drops the sign
    peer_options: dict[str, Any] = field(default_factory=dict)
    random: bool = False  # each side draws its own numbers: only time is compared
    far_fetched: bool = False  # explain an answer that the model does not think of, not its own


_ALL = {"specials": "perturb", "output": "probability"}  # peers move BOS too
_GRADIENTS = {"steps": STEPS, "rule": "gauss_legendre", **_ALL, "reduction": "sum"}
_INSEQ = "Inseq runs with sdpa attention (its default is eager) and computes the logits of all positions."
COMPARISONS = (
    Comparison(
        "occlusion", "captum", {"operator": "zero", **_ALL},
        "FeatureAblation of embeddings, one feature a token, zero baseline.",
    ),
    Comparison(
        "integrated_gradients", "captum", {"baseline": "zero", **_GRADIENTS},
        "IntegratedGradients of embeddings, zero baseline. Ours runs two more forwards, for completeness.",
    ),
    Comparison(
        "occlusion", "inseq", {"operator": "mask", **_ALL},
        "Inseq has no zero baseline: it puts the unknown token's embedding, as our operator=mask does. It "
        f"returns absolute values, so ours are compared without their sign. {_INSEQ}",
        absolute=True,
    ),
    Comparison(
        "integrated_gradients", "inseq", {"baseline": "mask", **_GRADIENTS},
        "Inseq has no zero baseline: it starts from the unknown token's embedding, as our baseline=mask "
        f"does. {_INSEQ}",
        peer_options={"n_steps": STEPS},
    ),
    Comparison(
        "reagent", "inseq",
        {"replacer": "uniform", "ratio": 0.3, "keep_tokens": 1, "top_k": 1, "specials": "perturb", **PROBES},
        "Uniform replacement over the vocabulary on both sides: Inseq's tagger wants a download, so its sampler is "
        "replaced. Explained is the answer least probable, which no edit brings to the first place, so no run stops: "
        f"{PROBES['runs']} runs of {PROBES['max_steps']}, two prompts each. {_INSEQ}",
        peer_options={"replacing_ratio": 0.3, "keep_top_n": 1, "stopping_condition_top_k": 1,
                      "num_probes": PROBES["runs"], "max_probe_steps": PROBES["max_steps"]},
        random=True,
        far_fetched=True,
    ),
    Comparison(
        "noiser", "none", {"bound": "norm_2", "vectors": VECTORS, "specials": "perturb"},
        f"At a fixed scale, so that the least work is known: every token with {VECTORS} noise vectors. The search for "
        "a scale asks the same of fewer tokens at a time.",
        random=True,
    ),
)  # fmt: skip
