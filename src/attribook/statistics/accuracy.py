"""The interval of a share."""

from scipy.stats import binomtest


def wilson(right: int, n: int) -> tuple[float, float]:
    """Wilson's 95% interval for the share of `right` in n."""
    found = binomtest(right, n).proportion_ci(method="wilson")
    return float(found.low), float(found.high)
