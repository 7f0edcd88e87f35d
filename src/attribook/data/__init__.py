"""Prompts, spans and gold words."""

from attribook.data.datasets import DATASETS, Dataset, load_dataset
from attribook.data.prompts import Prompt, matches

__all__ = ["DATASETS", "Dataset", "Prompt", "load_dataset", "matches"]
