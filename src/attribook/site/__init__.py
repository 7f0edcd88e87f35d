"""Notebooks and generated pages to a site."""
