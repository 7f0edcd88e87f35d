"""Where the noise of the numbers comes from: prompts, seeds of random methods, mask draws of soft metrics."""

import pandas as pd

from attribook.ledger.links import links
from attribook.statistics.evidence import SOFT, StoredRows
from attribook.statistics.noise import noise_split

NAMES = ("prompts", "seeds", "draws")


def noise_table() -> pd.DataFrame:
    """A row for each study that answers published cells, method and soft metric: the split of its noise.

    Columns: study, model, method, metric, n, seeds, draws, the standard deviation between prompts, seeds and draws, and
    the share of each in the variance of the mean. Only rows of the first profile that has some.
    """
    stored, lines = StoredRows(), []
    studies = {(study, protocol): None for link in links().links for study in link.studies
             for role, protocol in link.protocols.items() if role == "ours"}  # fmt: skip
    for study, protocol in studies:
        found = stored.find(study, protocol)
        for one in (e for e in found if e.profile == found[0].profile):
            for method in dict.fromkeys(one.rows["method"]):
                for metric in SOFT:
                    split = noise_split(one.rows, method, metric) if one.has(method, metric) else None
                    if split and "{" not in method and ":" not in method:
                        line = {"study": study, "model": one.model, "method": method, "metric": metric}
                        line |= {"n": split.n, "seeds": split.seeds, "draws": split.draws}
                        line |= dict(zip((f"sd of {name}" for name in NAMES), split.between, strict=True))
                        lines.append(line | dict(zip((f"{name} %" for name in NAMES), split.shares, strict=True)))
    return pd.DataFrame(lines)


def noise_summary(table: pd.DataFrame) -> pd.DataFrame:
    """A row for each study, model, metric and random method with several seeds; the others in one row, as medians."""
    named = table.assign(method=table["method"].where(table["seeds"] > 1, "one seed each"))
    keys = ["study", "model", "metric", "method"]
    groups = named.groupby(keys, sort=False)
    found = groups.median(numeric_only=True).assign(methods=groups.size())
    return found.reset_index()
