"""What each attribution method declares about itself: its version, its options, whether it draws.

Whoever finds stored rows needs these, and no torch. `registry.py` refuses a method that differs from its entry here, so
a new method has one here, and a new default or version is changed in both places.
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from attribook.errors import AttribookError
from attribook.models.files import folder_fingerprint

Options = dict[str, Any]
LARGEST = 2**31 - 1  # of numbers in options; what is larger is a slip, and fits no tensor
TRUTHS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True)
class Facts:
    """The declaration of one method.

    `options` are all named options with their defaults; `or_none` is the type of those whose default is None.
    `candidates`: one run gives `trials` maps for each layer, of which another may pick (candidates.py).
    `later`: options that came when rows had been stored, whose keys lack them.
    """

    name: str
    version: int
    random: bool
    options: Mapping[str, Any]
    or_none: Mapping[str, type] = field(default_factory=dict)
    candidates: bool = field(default=False, compare=False)
    later: tuple[str, ...] = field(default=(), compare=False)

    def resolve(self, options: Mapping[str, Any]) -> Options:
        """All options, the given ones over the defaults. Raises: AttribookError for a name that is none."""
        if unknown := sorted(set(options) - set(self.options)):
            known = ", ".join(f"{k}={v}" for k, v in self.options.items()) or "none"
            raise AttribookError(f"{self.name} has no option {', '.join(unknown)}. Its options: {known}.")
        return {**self.options, **options}

    def keyed(self, options: Options) -> Options:
        """All options as they enter keys: a later one only where it is not at its default, so that no key moves."""
        late = {name for name in self.later if options[name] == self.options[name]}
        return identified({name: value for name, value in options.items() if name not in late})

    def parsed(self, pairs: Iterable[str]) -> Options:
        """Options from texts `name=value`, each of its default's type. Raises: AttribookError for any other text."""
        options: Options = {}
        for pair in pairs:
            name, equals, text = pair.partition("=")
            if not equals:
                raise AttribookError(f"Write options as name=value, not {pair!r}.")
            options[name] = self._value(name, text) if name in self.options else text
        self.resolve(options)
        return options

    def _value(self, name: str, text: str) -> Any:
        """A text as a value of the option's type; `None` only where that is its default."""
        may_be_none = name in self.or_none
        if may_be_none and text.lower() == "none":
            return None
        kind = self.or_none[name] if may_be_none else type(self.options[name])
        try:
            value = TRUTHS[text.lower()] if kind is bool else kind(text)
        except (KeyError, ValueError) as error:
            wanted = "true or false" if kind is bool else f"{kind.__name__}{' or None' * may_be_none}"
            raise AttribookError(f"The option {name} takes {wanted}, not {text[:60]!r}.") from error
        if kind in (int, float) and not abs(value) <= LARGEST:  # NaN is in no order
            raise AttribookError(f"The option {name} takes numbers up to {LARGEST:,}, not {text[:60]!r}.")
        return value


READ = {"specials": "keep", "output": "probability"}
REDUCED = {**READ, "reduction": "sum"}
ROWS = {
    "layers": "-1", "trials": 24, "steps": 30, "points": "right", "timestep": "uniform", "horizon": 500,
    "noise": "deviation", "noised": "all", "factor": "difference", "output": "probability", "row": "reads",
    "aggregate": "mean",
}  # fmt: skip
EMBEDDINGS = {
    "trials": 24, "steps": 30, "points": "right", "timestep": "uniform", "horizon": 500, "noise": "deviation",
    "baseline": "mask", **READ, "aggregate": "mean",
}  # fmt: skip
PATH = {"steps": 32, "rule": "gauss_legendre"}

FACTS: dict[str, Facts] = {
    facts.name: facts
    for facts in [
        Facts("random", 1, True, {"form": "uniform"}),
        Facts("occlusion", 2, False, {"operator": "delete", **READ}),
        Facts("lime", 1, True, {
            "samples": 500, "draw": "size", "empty": "redraw", "operator": "delete", **READ, "kernel": "cosine",
            "kernel_width": 25.0, "surrogate": "ridge", "alpha": 1.0,
        }),
        Facts("kernel_shap", 1, True, {"samples": 512, "operator": "mask", **READ}),
        Facts("input_x_gradient", 1, False, {"output": "probability", "reduction": "sum"}),
        Facts("integrated_gradients", 2, False, {
            "steps": 32, "tolerance": 0.0, "rule": "gauss_legendre", "baseline": "zero", **REDUCED,
        }, later=("tolerance",)),
        Facts("gradient_shap", 2, True, {"samples": 32, "stdev": 0.0, "baseline": "zero", **REDUCED}),
        Facts("deeplift", 2, False, {"rescale": "activations", "baseline": "zero", **REDUCED}),
        Facts("sequential_integrated_gradients", 2, False, {**PATH, "baseline": "mask", **REDUCED}),
        Facts("attention_last", 1, False, {"scaling": "raw"}),
        Facts("attention_mean", 1, False, {"scaling": "raw"}),
        Facts("attention_rollout", 1, False, {"scaling": "raw"}),
        Facts("globenc", 1, False, {"value_bias": True}),
        Facts("alti", 1, False, {"value_bias": False}),
        Facts("decompx", 1, False, {"bias": "absdot"}),
        Facts("alti_logit", 1, False, {"mlp": "apart", "embedding": "apart", "biases": "carried"}),
        Facts("self_ranking", 1, False, {"asking": "auto", "max_new_tokens": 128}),
        Facts("reagent", 1, True, {
            "replacer": "left_to_right", "pick": "sample", "original": "allowed", "candidates": 8, "masked_lm": "",
            "ratio": 0.3, "keep_share": 0.3, "keep_tokens": 0, "top_k": 3, "max_steps": 100, "runs": 5,
            "initial": "logits", "update": "logit", "average": "all", "specials": "keep",
        }),
        Facts("noiser", 1, True, {
            "bound": "min", "vectors": 10, "search_vectors": None, "reuse": True, "steps": 10, "unchanged": "mean",
            "towards": "noise", "specials": "keep", "fixed": False, "divisor": "none", "threshold": "held",
        }, or_none={"search_vectors": int}, later=("fixed", "divisor", "threshold")),
        Facts("rpi", 1, True, ROWS, candidates=True),
        Facts("rpi_g", 1, True, ROWS, candidates=True),
        Facts("rpi_ig", 1, True, EMBEDDINGS, candidates=True),
        Facts("rpi_sig", 1, True, EMBEDDINGS, candidates=True),
    ]
}  # fmt: skip


def find_facts(name: str) -> Facts:
    """What the method of that name declares. Raises: AttribookError that names the nearest and all known ones."""
    if name in FACTS:
        return FACTS[name]
    near = difflib.get_close_matches(name, FACTS, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise AttribookError(f"Unknown method {name!r}.{hint} Known methods: {', '.join(FACTS)}.")


def identified(options: Options) -> Options:
    """Options as a row's key has them: a folder with a second model by its files, not by its name."""
    folder = Path(options.get("masked_lm") or "a name")
    return options | {"masked_lm": kept_fingerprint(folder)} if folder.is_dir() else options


@cache
def kept_fingerprint(folder: Path) -> str:
    """The fingerprint of a folder, as long as the process lasts, as the model that was read from it."""
    return folder_fingerprint(folder)
