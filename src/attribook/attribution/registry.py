"""Every method by its name. Adding one is one file, a line here and in names.py, one test and one page of the book."""

from typing import Any

from torch import Generator

from attribook.attribution.alti import alti
from attribook.attribution.alti_logit import alti_logit
from attribook.attribution.attention import attention_last, attention_mean, attention_rollout
from attribook.attribution.base import Attribution, Method
from attribook.attribution.decompx import decompx
from attribook.attribution.deeplift import deeplift
from attribook.attribution.globenc import globenc
from attribook.attribution.gradient_shap import gradient_shap
from attribook.attribution.input_x_gradient import input_x_gradient
from attribook.attribution.integrated_gradients import integrated_gradients
from attribook.attribution.kernel_shap import kernel_shap
from attribook.attribution.lime import lime
from attribook.attribution.names import FACTS, find_facts
from attribook.attribution.noiser import noiser
from attribook.attribution.occlusion import occlusion
from attribook.attribution.random_scores import random
from attribook.attribution.reagent import reagent
from attribook.attribution.rpi import rpi, rpi_g
from attribook.attribution.rpi_embeddings import rpi_ig, rpi_sig
from attribook.attribution.self_ranking import self_ranking
from attribook.attribution.sequential_integrated_gradients import sequential_integrated_gradients
from attribook.errors import AttribookError
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained

METHODS: dict[str, Method] = {
    "random": random,
    "occlusion": occlusion,
    "lime": lime,
    "kernel_shap": kernel_shap,
    "input_x_gradient": input_x_gradient,
    "integrated_gradients": integrated_gradients,
    "gradient_shap": gradient_shap,
    "deeplift": deeplift,
    "sequential_integrated_gradients": sequential_integrated_gradients,
    "attention_last": attention_last,
    "attention_mean": attention_mean,
    "attention_rollout": attention_rollout,
    "globenc": globenc,
    "alti": alti,
    "decompx": decompx,
    "alti_logit": alti_logit,
    "self_ranking": self_ranking,
    "reagent": reagent,
    "noiser": noiser,
    "rpi": rpi,
    "rpi_g": rpi_g,
    "rpi_ig": rpi_ig,
    "rpi_sig": rpi_sig,
}


if differing := [
    name for name in {**METHODS, **FACTS} if name not in METHODS or METHODS[name].facts != FACTS.get(name)
]:
    raise AttribookError(f"Methods declare other versions or options than attribution/names.py: {differing}.")


def find_method(name: str) -> Method:
    """The method of that name. Raises: AttribookError that names the nearest and all known ones."""
    return METHODS[find_facts(name).name]


def explain(
    model: Explained, encoding: Encoding, method: str, *, generator: Generator | None = None, **options: Any
) -> Attribution:
    """Run the method of that name with the given options."""
    return find_method(method)(model, encoding, generator=generator, **options)
