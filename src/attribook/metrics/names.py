"""Facts about metrics for whoever reads stored rows: no torch is needed to know which way a metric runs."""

LOWER_IS_BETTER = frozenset({"sufficiency", "log_odds", "aopc_sufficiency"})


def sign(metric: str) -> int:
    """+1 where higher values of a metric are better, -1 where lower ones are."""
    return -1 if metric in LOWER_IS_BETTER else 1
