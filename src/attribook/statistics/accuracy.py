"""Wilson's interval for how often something is right, as a classifier or a model's next word."""

from scipy.stats import binomtest


def wilson(right: int, n: int) -> tuple[float, float]:
    """Wilson's 95% interval for the share of `right` in n."""
    found = binomtest(right, n).proportion_ci(method="wilson")
    return float(found.low), float(found.high)
