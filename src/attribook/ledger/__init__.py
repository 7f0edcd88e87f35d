"""Printed cells and stored rows to verdicts."""
