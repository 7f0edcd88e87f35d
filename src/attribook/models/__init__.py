"""Weights in, probabilities out: explained models, the forward engine, and where weights come from."""

from attribook.models.causal import CausalLM
from attribook.models.edits import Delete, Embed, Replace
from attribook.models.encoding import Encoding
from attribook.models.load import load_model

__all__ = ["CausalLM", "Delete", "Embed", "Encoding", "Replace", "load_model"]
