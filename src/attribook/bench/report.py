"""The measurement as a table for the terminal."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from attribook.bench.agreement import TOLERANCE, Row
from attribook.bench.comparisons import BATCHES
from attribook.show.terminal import listed

COLUMNS = ("method", "peer", "scores", "ranks", "ours, s", "peer, s", "ratio", "of limit", "tokens (least)")


def report(found: Row) -> RenderableType:
    """The measurement as a table: scores first, then times, then the share of the machine's limit."""
    machine = found["machine"]
    shown = listed(COLUMNS, map(cells, found["rows"]))
    about = (
        f"{found['model']}, {found['tokens']} tokens, target {found['target']!r}"
        f"{', and for rpi ' + found['classifier'] if found['classifier'] else ''}; {machine['class']}, "
        f"{machine['threads']} threads, load {machine['load_before']} before, {found['matmul_gflops']:.0f} "
        f"GFLOP/s in a float32 matrix product. Times are medians of {found['repeats']} after a warm-up; "
        f"peers run with the faster batch size of {' and '.join(map(str, BATCHES))}."
    )
    return Group(Text(about), shown, *(Text(line) for line in footnotes(found)))


def cells(row: Row) -> Iterator[str]:
    """One row's cells; where nothing was compared the status stands in place of the scores."""
    yield row["method"]
    yield row["peer"]
    if row["max_difference"] is None:
        yield escape(row["status"])
    else:
        verdict = "agree" if row["agree"] else "[bold red]differ[/]"
        yield f"{verdict}: {row['max_difference']:.1e} of {row['largest_score']:.2g}"
    formats = {"rank_correlation": ".3f", "ours_seconds": ".3g", "peer_seconds": ".3g", "ratio": ".2f"}
    for column, how in {**formats, "limit_share": ".0%"}.items():
        yield "-" if row[column] is None else format(row[column], how)
    yield f"{row['tokens_computed'] or '-'} ({row['tokens_least']})"


def footnotes(found: Row) -> Iterator[str]:
    """What each row compares, and how columns are to be read."""
    for row in found["rows"]:
        yield f"{row['method']}, {row['peer']}: {row['note']}"
    yield (
        f"Scores: the largest difference, of the peer's largest score; they agree up to {TOLERANCE:g}, as "
        f"{found['tolerance_reason']}. Ranks: Spearman's correlation."
    )
    yield (
        "Ratio: the peer's seconds over ours. Of limit: seconds that the least work takes at the rate of the "
        "matrix product, over ours. Tokens: computed by ours, and the least."
    )
