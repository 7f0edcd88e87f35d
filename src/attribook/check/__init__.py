"""Regression checks: what is stored and committed, against what the code gives now."""

from attribook.check.run import check_all

__all__ = ["check_all"]
