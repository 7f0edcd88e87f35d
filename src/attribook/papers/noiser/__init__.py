"""Noiser."""
