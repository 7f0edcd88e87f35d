"""Rows made visible: heat maps, figures in light and dark, tables."""
