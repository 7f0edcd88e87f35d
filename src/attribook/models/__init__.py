"""Weights in, probabilities out: explained models, the forward engine, and where weights come from."""

from attribook.models.causal import CausalLM
from attribook.models.classifier import SequenceClassifier
from attribook.models.edits import Delete, Embed, Replace
from attribook.models.encoding import Encoding
from attribook.models.explained import Explained
from attribook.models.load import load_model
from attribook.models.prompted import PromptedClassifier

__all__ = [
    "CausalLM",
    "Delete",
    "Embed",
    "Encoding",
    "Explained",
    "PromptedClassifier",
    "Replace",
    "SequenceClassifier",
    "load_model",
]
