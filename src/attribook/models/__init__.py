"""Weights in, probabilities out: explained models, the forward engine, and where weights come from."""
