"""Tidy frames in, estimates out."""
