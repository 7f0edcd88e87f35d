"""Prompts, spans and gold words."""
