"""The interval of a share."""

from scipy.stats import binomtest


def clopper_pearson(right: int, n: int) -> tuple[float, float]:
    """Clopper and Pearson's 95% interval for the share of `right` in n, which never covers less than it says."""
    found = binomtest(right, n).proportion_ci(method="exact")
    return float(found.low), float(found.high)
