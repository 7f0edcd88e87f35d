"""Texts that name what is computed, each parsed once into a frozen value; the text form is for files and eyes only.

    Setting        reagent{ratio=0.1,runs=3}:permuted     a method, options of its own, what is done to its scores
    Picked         rpi{layers=-1|-2}, best of 48          the best of so many maps; `|` joins pools of several settings
    ProtocolName   rpi-paper+least=0,empty=zero           a protocol with options of its metrics changed
    ModelName      smollm2-135m+sentiment                 a model and its template (models/names.py)

`parse` and `str` are inverse. Randomness is found from the method alone, so two settings of one method are compared on
the same random numbers, and equal settings are one row in the store, however their texts are written.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import product
from typing import Any

from attribook.attribution.names import Facts, Options, find_facts
from attribook.errors import AttribookError

SETTING = re.compile(r"(\w+)(?:\{([^{}:]*)\})?(?::(.+))?")
PICKED = re.compile(r"(.+), best of (\d+)")
SOFT = ("soft_nc", "soft_ns")
CONTROLS = ("random", "flat", "one_hot_random", "reversed", "permuted")  # those of controls.py
RANKED, TEMPERED = "ranked", "tempered_"
DRAWN = ("permuted", "random", "one_hot_random")  # variants with several seeds; `reversed` draws for ties alone
VERSIONS = {RANKED: 2}  # of variants, the others have 1; raised when one's numbers change


@dataclass(frozen=True)
class Setting:
    """A method with the options that stand over the protocol's, and the variant of its scores; "" for none."""

    method: str
    options: tuple[tuple[str, Any], ...] = ()
    variant: str = ""

    @staticmethod
    @lru_cache(maxsize=4096)
    def parse(text: str) -> "Setting":
        """Raises: AttribookError for a text that cannot be read, and for unknown methods, options and variants."""
        form = SETTING.fullmatch(text)
        if form is None:
            raise AttribookError(f"{text!r} names no method. Write method or method{{option=value,option=value}}.")
        facts = find_facts(form[1])
        options = facts.parsed(form[2].split(",")) if form[2] else {}
        variant = form[3] or ""
        if variant and variant not in (*CONTROLS, RANKED) and power(variant) is None:
            known = ", ".join(CONTROLS)
            raise AttribookError(
                f"Unknown variant {variant!r} of {form[1]}. Known: {known}, {RANKED}, {TEMPERED}<power above 0>."
            )
        return Setting(form[1], tuple(options.items()), variant)

    def __str__(self) -> str:
        return setting(self.method, **dict(self.options)) + (f":{self.variant}" if self.variant else "")

    @property
    def facts(self) -> Facts:
        """What the method declares."""
        return find_facts(self.method)

    @property
    def plain(self) -> "Setting":
        """The same without its variant."""
        return replace(self, variant="")

    @property
    def several(self) -> bool:
        """Whether it has several seeds."""
        return self.facts.random or self.variant in DRAWN

    @property
    def own_map(self) -> bool:
        """Whether a pool of it is the method's own map and noisy copies of that: it draws nothing itself."""
        return not (self.facts.random or self.facts.candidates)

    @property
    def variant_version(self) -> int:
        """The variant's version, part of its rows' keys."""
        return VERSIONS.get(self.variant, 1)


def setting(method: str, **options: Any) -> str:
    """The text of a method with these options."""
    given = ",".join(f"{name}={value}" for name, value in options.items())
    return f"{method}{{{given}}}" if given else method


def power(variant: str) -> float | None:
    """The power of `tempered_<power>`, None for anything else."""
    try:
        found = float(variant.removeprefix(TEMPERED)) if variant.startswith(TEMPERED) else 0.0
    except ValueError:
        return None
    return found if found > 0 else None


@dataclass(frozen=True)
class Picked:
    """The best of `maps` maps, as many of each setting: an option with several values stands for a pool of each."""

    method: str
    options: tuple[tuple[str, tuple[str, ...]], ...]
    maps: int

    @staticmethod
    @lru_cache(maxsize=1024)
    def parse(text: str) -> "Picked | None":
        """None for a text of another form. Raises: AttribookError where the pools cannot give equal numbers of maps."""
        form = PICKED.fullmatch(text)
        if form is None:
            return None
        method, _, rest = form[1].partition("{")
        pairs = [part.partition("=") for part in rest.removesuffix("}").split(",") if part]
        found = Picked(method, tuple((name, tuple(value.split("|"))) for name, _, value in pairs), int(form[2]))
        if found.maps % len(found.settings):
            raise AttribookError(
                f"{text}: {found.maps} maps cannot come from {len(found.settings)} pools in equal parts."
            )
        return found

    def __str__(self) -> str:
        return (
            f"{setting(self.method, **{name: '|'.join(values) for name, values in self.options})}, best of {self.maps}"
        )

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """The setting of each pool."""
        names = [name for name, _ in self.options]
        chosen = product(*(values for _, values in self.options))
        return tuple(Setting.parse(setting(self.method, **dict(zip(names, values, strict=True)))) for values in chosen)

    @property
    def each(self) -> int:
        """How many maps each pool gives."""
        return self.maps // len(self.settings)


@dataclass(frozen=True)
class Protocol:
    """Options of a study: for the metrics, for the random baseline, and for each method that needs its own."""

    name: str
    about: str
    metric: Mapping[str, Any]  # of the soft metrics
    baseline: Mapping[str, Any]  # of the method `random`, by whose mean every method is divided
    methods: Mapping[str, Mapping[str, Any]]
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # of each other metric, by its name

    def method_options(self, method: str) -> Options:
        """Options of one method under this protocol."""
        return dict(self.baseline if method == "random" else self.methods.get(method, {}))

    def metric_options(self, metric: str) -> Options:
        """Options of one metric under this protocol."""
        return dict(self.metrics.get(metric, self.metric if metric in SOFT else {}))

    def changed(self, name: "ProtocolName") -> "Protocol":
        """With options changed in every metric that has them. Raises: AttribookError for what no metric of it has."""
        metric, metrics = dict(self.metric), {each: dict(options) for each, options in self.metrics.items()}
        for option, value in name.changes:
            having = [options for options in (metric, *metrics.values()) if option in options]
            if not having:
                known = dict.fromkeys(each for options in (metric, *metrics.values()) for each in options)
                raise AttribookError(f"No metric option to change in '{option}={value}'. Known: {', '.join(known)}.")
            for options in having:
                options[option] = value
        about = f"{self.name} with {str(name).partition('+')[2]}"
        return replace(self, name=str(name), about=about, metric=metric, metrics=metrics) if name.changes else self


@dataclass(frozen=True)
class ProtocolName:
    """The name of a protocol, and what is changed in it."""

    known: str
    changes: tuple[tuple[str, int | str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "ProtocolName":
        """Raises: AttribookError for a change that is not `option=value`."""
        known, plus, rest = text.partition("+")
        return cls(known, tuple(change(each) for each in rest.split(",")) if plus else ())

    def __str__(self) -> str:
        return self.known + ("+" if self.changes else "") + ",".join(f"{name}={value}" for name, value in self.changes)


def change(text: str) -> tuple[str, int | str]:
    """One change of a protocol: the option, and its value as a number where it is one."""
    option, equals, value = text.partition("=")
    if not equals or not value:
        raise AttribookError(f"No metric option to change in {text!r}. Write protocol+option=value,option=value.")
    return option, int(value) if value.isdigit() else value
