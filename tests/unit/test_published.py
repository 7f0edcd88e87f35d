"""The transcribed cells of the papers: complete, consistent with the papers' own arithmetic, and what they claim."""

import io
import itertools
import os
import re
from pathlib import Path

import pandas as pd
import pytest

from attribook.errors import AttribookError
from attribook.papers.cells import notes, published, read_cells, select, tables
from attribook.papers.claims import Claim, claims, read_claims, support
from attribook.papers.registry import paper_file, paper_names
from attribook.statistics.units import METRICS

COUNTS = {
    "reagent": {1: 7, 2: 8 * 6, 3: 8 * 12},
    "noiser": {1: 3 * 10 * 7, 2: 7 * 7, 3: 10 * 14, 5: 3 * 10 * 12, 6: 10 * 14, 7: 2 * 7},
    "rpi": {2: 4 * 10 * 15, 4: 4 * 6 * 10, 5: 7 * 5, 6: 6 * 5, 7: 12 * 15},
}
RANKED = ["table", "dataset", "column", "metric"]
LOWER = {"sufficiency", "log_odds", "aopc_sufficiency"}
FOURTH = 1.5e-4  # three numbers rounded to four decimals can be off by half a unit each
RPI_BERT_RTN = {"dataset": "RTN", "model": "BERT"}


def series(paper: str, keys: list[str], **where) -> pd.Series:
    """Values of the wanted cells, by `keys`."""
    return select(published(paper), where).set_index(keys)["value"].sort_index()


def noted(paper: str, note: str) -> pd.DataFrame:
    cells = published(paper)
    return cells[[note in words.split() for words in cells["note"]]]


# ------------------------------------------------------------------ the cells


@pytest.mark.parametrize("paper", paper_names())
def test_every_table_is_complete(paper):
    cells = published(paper)
    assert cells["table"].value_counts().to_dict() == COUNTS[paper]
    described = tables(paper).set_index("table")["cells"]
    assert described[described > 0].to_dict() == COUNTS[paper]
    assert described.index.tolist() == list(range(1, described.index.max() + 1))
    for table, part in cells[cells["table"] != 1].groupby("table"):
        per_row = part.groupby(["dataset", "row"] if paper != "reagent" else "row").size()
        assert per_row.nunique() == 1, f"table {table} has rows of different lengths"


def test_names_are_known():
    from attribook.attribution.registry import METHODS

    used = {name.partition("{")[0] for paper in paper_names() for name in published(paper)["method"]}
    to_come = {"", "reagent", "noiser", "rpi", "rpi_g", "rpi_ig", "rpi_sig"}
    assert used - to_come <= set(METHODS)
    assert {metric for paper in paper_names() for metric in published(paper)["metric"]} == set(METRICS)
    for paper in paper_names():
        assert {note for words in published(paper)["note"] for note in words.split()} == set(notes(paper))


@pytest.mark.parametrize("paper", paper_names())
def test_the_best_cells_are_the_best_values(paper):
    for (_, _, _, metric), column in published(paper).groupby(RANKED):
        marked = column[column["best"] == "yes"]
        if METRICS[metric].better == "none":
            assert marked.empty
            continue
        best = min(column["value"]) if metric in LOWER else max(column["value"])
        assert set(marked["value"]) == {best}
        others = column[(column["value"] == best) & (column["best"] == "no")]
        assert set(others["underlined"]) <= {"yes"}, "only a cell underlined as second gives way"
        tied = column[column["value"] == best] if (column["value"] == best).sum() > 1 else column[:0]
        assert set(tied.index) == {i for i, words in column["note"].items() if "tied" in words.split()}


def test_where_the_best_come_from():
    printed = published("reagent").query("best_from == 'printed'")
    assert (printed["table"].isin([2, 3])).all()
    assert (printed["best"] == "yes").sum() == 6 + 12
    for paper in ("noiser", "rpi"):
        assert "printed" not in set(published(paper)["best_from"])


def test_underlined_cells_are_second():
    cells = published("rpi")
    for _, column in cells.groupby(RANKED):
        ranks = column["value"].rank(method="min", ascending=column["metric"].iloc[0] in LOWER)
        for index, cell in column[column["underlined"] == "yes"].iterrows():
            if "underlined-third" in cell["note"]:
                assert ranks[index] == 3
            elif (column["best"] == "yes").sum() > 1:
                assert ranks[index] <= 1 + (column["best"] == "yes").sum()
            else:
                assert ranks[index] == 2 or "tied" in cell["note"]


# ------------------------------------------------------------------ the papers' own arithmetic


def test_reagent_tables_2_and_3_have_the_same_means():
    by_task = published("reagent").query("table == 2").groupby(["row", "metric"])["value"].mean()
    by_model = published("reagent").query("table == 3").groupby(["row", "metric"])["value"].mean()
    assert len(by_task) == 16
    assert (by_task - by_model).abs().max() <= 1e-3  # both are means of values rounded to three decimals


def test_reagent_means_by_hand():
    means = published("reagent").query("table == 2 and method == 'reagent'").groupby("metric")["value"].mean()
    assert means["soft_nc"] == pytest.approx((5.402 + 4.504 + 1.982) / 3)
    assert means["soft_ns"] == pytest.approx((1.136 + 1.024 + 1.087) / 3)


def test_noiser_faithfulness_is_the_sum_of_its_parts():
    keys = ["dataset", "row", "model"]
    cells = published("noiser")
    whole = cells[(cells["table"] == 1) & (cells["model"] != "")].set_index(keys)["value"]
    parts = cells[cells["table"] == 5].groupby(keys)["value"].sum()
    assert len(whole) == len(parts) == 180
    off = (whole - parts).abs()
    off = off[off > FOURTH].round(4)
    assert off.to_dict() == {("Knowns", "SIG", "Qwen2-1.5B"): 0.0002, ("Knowns", "LIME", "Llama3.2-1B"): 0.0027}
    assert set(noted("noiser", "parts-differ").set_index(keys).index) == set(off.index)


def test_noiser_averages():
    keys = ["table", "dataset", "row", "metric"]
    cells = published("noiser").query("table in (1, 2, 3, 6)")
    average = cells[cells["column"] == "Average"].set_index(keys)["value"]
    mean = cells[cells["column"] != "Average"].groupby(keys)["value"].mean()
    assert len(average) == 30 + 7 + 20 + 20
    # a rounded average of rounded values: one unit of the last decimal, which is 1% for rates
    difference = (average - mean).abs()
    off = difference[[d > (1.0 if "rate" in key[-1] else 1e-4) + 1e-9 for key, d in difference.items()]]
    assert {key[:3] for key in off.index} == {(1, "Knowns", "LIME"), (3, "Knowns", "Rollout")}
    assert set(noted("noiser", "average-differs").set_index(keys).index) == set(off.index)


def test_noiser_lime_has_two_digits_swapped():
    row = series("noiser", ["column"], table=1, dataset="Knowns", row="LIME")
    parts = series("noiser", ["metric"], table=5, dataset="Knowns", row="LIME", model="Llama3.2-1B")
    assert row["Llama3.2-1B"] == 0.5103
    row["Llama3.2-1B"] = 0.5130
    assert row["Llama3.2-1B"] == pytest.approx(parts.sum())
    assert row.drop("Average").mean() == pytest.approx(row["Average"], abs=1e-4)


def test_noiser_bounds_repeat_the_row_for_knowns():
    main = series("noiser", ["column"], table=1, dataset="Knowns", row="Noiser")
    assert main.equals(series("noiser", ["column"], table=2, row="min"))


def test_noiser_repeats_gemma_on_longra_only():
    keys = ["table", "dataset", "row", "metric"]
    for table in (1, 5):
        small = series("noiser", keys, table=table, model="gemma-2-2b")
        large = series("noiser", keys, table=table, model="gemma-2-9b")
        same = small.index[small == large]
        assert {key[1] for key in same} == {"LongRA"}
        rows = ["DeepLIFT", "IG", "IxG", "LIME", "Last Attn", "Occlusion", "Rollout", "SIG"]
        assert sorted({key[2] for key in same}) == rows
        assert len(same) == 8 * (2 if table == 5 else 1)
        assert set(noted("noiser", "gemma-repeated").query("table == @table").set_index(keys).index) == set(same)


def test_answerability_scores_exceed_rates_for_one_model_only():
    """A score adds shares of at most 1 over the answered prompts, so it cannot exceed the rate."""
    cells = published("noiser").query("metric.str.startswith('answerability') and column != 'Average'")
    is_rate = cells["metric"].str.contains("rate")
    keys = ["table", "row", "model"]
    rates = cells[is_rate].set_index(keys)["value"]
    scores = cells[~is_rate].set_index(keys)["value"]
    assert len(rates) == len(scores) == 120
    above = scores[scores > (rates + 0.5) / 100]  # rates are rounded to whole percents
    assert above.to_dict() == {(3, "Noiser", "Llama3-8B"): 0.4858, (6, "Noiser", "Llama3-8B"): 0.5962}
    assert set(noted("noiser", "score-above-rate").set_index(keys).index) == set(above.index)


def test_rpi_headline_row_is_printed_four_times():
    head = series("rpi", ["metric"], table=2, row="RPI", **RPI_BERT_RTN)
    assert head.tolist() == pytest.approx([0.319, 0.002, 0.622, -2.675, -0.019])
    assert head.equals(series("rpi", ["metric"], table=5, row="R=24"))
    assert head.equals(series("rpi", ["metric"], table=6, row="RPI"))
    assert head.equals(series("rpi", ["metric"], table=7, row="L-2", column="Individual Layers"))
    for row in ("IG", "SIG"):
        ablation = series("rpi", ["metric"], table=6, row=row)
        assert ablation.equals(series("rpi", ["metric"], table=2, row=row, **RPI_BERT_RTN))


def test_rpi_pools_meet_where_they_are_the_same():
    single, top, bottom = (
        {row: series("rpi", ["metric"], table=7, row=row, column=column) for row in ("L", "L-11")}
        for column in ("Individual Layers", "Top-down Aggregation", "Bottom-up Aggregation")
    )
    assert top["L"].equals(single["L"])
    assert bottom["L-11"].equals(single["L-11"])
    assert top["L-11"].equals(bottom["L"])


def test_the_best_of_more_maps_is_never_worse():
    layers = ["L", *(f"L-{i}" for i in range(1, 12))]
    draws = [f"R={r}" for r in (1, 2, 4, 8, 16, 24, 32)]
    pools = [({"table": 5}, draws), ({"table": 7, "column": "Top-down Aggregation"}, layers)]
    pools.append(({"table": 7, "column": "Bottom-up Aggregation"}, layers[::-1]))
    for where, rows in pools:
        values = select(published("rpi"), where).pivot(index="row", columns="metric", values="value").loc[rows]
        for metric, column in values.items():
            assert column.is_monotonic_decreasing if metric in LOWER else column.is_monotonic_increasing, metric


# ------------------------------------------------------------------ the claims

EXPECTED = {  # held, tied, broken
    "reagent-best-task": (6, 0, 0),
    "reagent-best-model": (11, 0, 1),
    "reagent-above-random": (18, 0, 0),
    "reagent-families": (36, 0, 0),
    "noiser-best-faithfulness": (18, 0, 0),
    "noiser-above-random": (18, 0, 0),
    "noiser-best-comprehensiveness": (18, 0, 0),
    "noiser-best-sufficiency": (9, 0, 9),
    "noiser-best-bound": (4, 0, 2),
    "noiser-unbounded-lower": (12, 0, 0),
    "noiser-any-bound-helps": (35, 0, 25),
    "noiser-per-token-over-max": (3, 0, 3),
    "noiser-best-answerability": (13, 0, 11),
    "noiser-best-score": (5, 0, 1),
    "noiser-best-score-average": (1, 0, 0),
    "noiser-occlusion-rate": (5, 0, 1),
    "noiser-occlusion-rate-top5": (5, 0, 1),
    "noiser-occlusion-among-baselines": (2, 0, 0),
    "noiser-rate-gap": (0, 0, 2),
    "noiser-score-gap-widens": (39, 0, 15),
    "noiser-rate-approaches": (4, 1, 1),
    "rpi-best-encoders": (51, 0, 9),
    "rpi-second-encoders": (33, 2, 25),
    "rpi-best-decoders": (34, 1, 5),
    "rpi-second-decoders": (23, 1, 16),
    "rpi-llm-behind": (57, 2, 21),
    "rpi-g-over-ig": (0, 0, 5),
    "rpi-over-g": (4, 1, 0),
    "rpi-resampling-helps-others": (10, 0, 0),
    "rpi-over-input-variants": (7, 0, 3),
    "rpi-more-draws": (4, 1, 0),
    "rpi-few-draws": (45, 0, 0),
    "rpi-one-draw": (20, 0, 25),
    "rpi-deeper-layers": (33, 9, 13),
    "rpi-top-down": (35, 15, 0),
    "rpi-full-pools-equal": (5, 0, 0),
    "rpi-explains-last-layer": (0, 0, 5),
    "rpi-explains-third-last-layer": (5, 0, 0),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_in_how_many_cells_a_claim_holds(name):
    (claim,) = (claim for paper in paper_names() for claim in claims(paper) if claim.id == name)
    found = support(claim)
    assert tuple(found.count(outcome) for outcome in ("held", "tied", "broken")) == EXPECTED[name]
    assert found.total == sum(EXPECTED[name])


@pytest.mark.parametrize(
    ("paper", "table", "row", "total", "beaten"),
    [("reagent", 2, "ReAGent", 6, 0), ("reagent", 3, "ReAGent", 12, 1), ("noiser", 1, "Noiser", 18, 0),
     ("rpi", 2, "RPI", 60, 9), ("rpi", 4, "RPI", 40, 5)],
)  # fmt: skip
def test_cells_in_which_the_method_is_beaten_counted_by_loops(paper, table, row, total, beaten):
    columns = itertools.groupby(
        sorted(
            published(paper).query("table == @table and column != 'Average'").to_dict("records"),
            key=lambda cell: (cell["dataset"], cell["column"], cell["metric"]),
        ),
        key=lambda cell: (cell["dataset"], cell["column"], cell["metric"]),
    )
    counted = lost = 0
    for (_, _, metric), column in columns:
        values = {cell["row"]: cell["value"] for cell in column}
        ours = values.pop(row)
        counted += 1
        lost += any(other < ours if metric in LOWER else other > ours for other in values.values())
    assert (counted, lost) == (total, beaten)


def test_differences_of_printed_cells():
    """Occlusion's average rate is 51 against Noiser's 45 by the first answer, 63 against 60 by five."""
    for table, difference in ((3, 6.0), (6, 3.0)):
        query = {"kind": "equal", "by": difference, "match": ["column", "metric"]}
        query["left"] = {"table": table, "row": "Occlusion", "column": "Average"}
        query["right"] = {"table": table, "row": "Noiser"}
        outcomes = support(Claim("a", "noiser", "", averages=True, query=query)).comparisons
        assert outcomes.set_index("metric")["outcome"].str.startswith("held").tolist() == [True, False]  # rate, score


def test_every_claim_with_a_query_is_counted_and_names_the_tables_that_it_is_about():
    assert {claim.id for paper in paper_names() for claim in claims(paper) if claim.query} == set(EXPECTED)
    for claim in (claim for paper in paper_names() for claim in claims(paper)):
        known = tables(claim.paper).query("cells > 0")["table"]
        assert set(claim.tables) <= set(known), claim.id
        if claim.query:
            assert set(claim.tables) == tables_of(claim.query), claim.id


def tables_of(query: dict) -> set[int]:
    found = set()
    for value in query.values():
        if isinstance(value, dict) and "table" in value:
            found |= set(value["table"]) if isinstance(value["table"], list) else {value["table"]}
    return found


# ------------------------------------------------------------------ bad input


def edited(change) -> io.StringIO:
    text = paper_file("reagent", "cells.csv").read_text("utf-8")
    return io.StringIO("\n".join(change(text.splitlines())) + "\n")


def field(line: int, index: int, value: str):
    """The file with one field of one line (from 1, the head) changed."""

    def change(lines: list[str]) -> list[str]:
        fields = lines[line - 1].split(",")
        fields[index] = value
        return [*lines[: line - 1], ",".join(fields), *lines[line:]]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (field(1, 0, "source"), "the columns must be"),
        (field(9, 8, "n/a"), "line 9: `value` is not a number"),
        (field(9, 8, "nan"), "line 9: `value` is not a number"),
        (field(9, 8, "inf"), "line 9: `value` is not a number"),
        (field(9, 1, "two"), "line 9: `table` is not a number"),
        (field(9, 0, "rpi"), "line 9: `paper` is not reagent"),
        (field(9, 9, "maybe"), "line 9: `best` is none of yes, no"),
        (field(9, 9, "yes"), "line 9: `best` is beaten"),
        (field(51, 9, "no"), "line 9: a column without its `best`"),
        (field(9, 7, "soft_xx"), "line 9: `metric` is none of"),
        (field(9, 12, "hope"), "line 9: unknown `claim`"),
        (field(9, 12, ""), "line 9: `claim` is empty"),
        (field(9, 13, "odd"), "line 9: unknown `note`"),
        (lambda lines: [], "the columns must be"),
        (lambda lines: [*lines[:8], *lines[9:]], "tables.toml says {1: 7, 2: 48, 3: 96}"),
        (lambda lines: [*lines, lines[8]], "a second time"),
        (lambda lines: [*lines[:8], lines[8].rsplit(",", 2)[0], *lines[9:]], "line 9: not 14 columns"),
        (lambda lines: [*lines[:8], lines[8] + ",x", *lines[9:]], "line 9: not 14 columns"),
    ],
)
def test_bad_files_are_refused(change, message):
    with pytest.raises(AttribookError, match=re.escape(message)):
        read_cells(edited(change), "reagent")


def test_unknown_names_are_refused():
    with pytest.raises(AttribookError, match="Known papers: reagent, noiser, rpi"):
        published("lime")
    with pytest.raises(AttribookError, match="no column 'colour'"):
        select(published("reagent"), {"colour": "red"})
    with pytest.raises(AttribookError, match="No published cell has row = 'Noiser'"):
        select(published("reagent"), {"row": "Noiser"})
    with pytest.raises(AttribookError, match="No published cell has table = 9"):
        published("reagent", table=9)


GOOD = '[[claim]]\nid = "a"\nsays = "b"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD, "either a query or what the claim `needs`"),
        (GOOD + 'needs = "a figure"\n[claim.query]\nkind = "best"\n', "either a query or"),
        (GOOD + 'query = { kind = "guess" }\n', "the query's `kind`"),
        (GOOD + 'needs = "x"\nstrength = "some"\n', "`strength` must be one of all, most"),
        (GOOD + 'needs = "x"\ncolour = "red"\n', "claim a: .*colour"),
        (2 * (GOOD + 'needs = "x"\n'), "a more than once"),
    ],
)
def test_bad_claims_are_refused(text, message):
    with pytest.raises(AttribookError, match=message):
        read_claims(text, "rpi")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (None, "needs: a figure"),
        ({"kind": "best", "where": {"table": 2}}, "row"),
        ({"kind": "random", "where": {"table": 2}}, "Only log-ratios"),
        ({"kind": "random", "where": {"table": 9}}, "No published cell"),
        ({"kind": "ahead", "left": {"table": 2}, "right": {"table": 5}, "match": ["row"]}, "compares nothing"),
    ],
)
def test_queries_that_cannot_be_answered_are_refused(query, message):
    with pytest.raises(AttribookError, match=message):
        support(Claim("a", "rpi", "", query=query, needs="" if query else "a figure"))


# ------------------------------------------------------------------ the papers' texts, where they are at hand

TEXTS = {"reagent": "reagent_slides.txt", "noiser": "noiser.txt", "rpi": "rpi.txt"}
NUMBER = re.compile(r"(<[bu]>)?(-?\d+(?:\.\d+)?)")
# a line of a table has at least so many such numbers (Noiser's counts are none); so many lines
DENSE = {
    "reagent": (6, r"-?\d+\.\d{1,3}", 8 + 16),
    "noiser": (6, r"-?\d+\.\d{4}", 3 * 10 + 7 + 10 + 3 * 10 + 10),
    "rpi": (5, r"-?\d+\.\d{3}", 40 + 24 + 7 + 6 + 12),
}


def text_of(paper: str) -> list[str]:
    folder = os.environ.get("ATTRIBOOK_PAPERS")
    if not folder:
        pytest.skip("needs the papers' texts: set ATTRIBOOK_PAPERS to their folder")
    return (Path(folder) / TEXTS[paper]).read_text("utf-8").splitlines()


@pytest.mark.parametrize("paper", paper_names())
def test_every_cell_is_in_the_text_in_its_place(paper):
    """Lines of a table follow each other in the text as in our file, with the same values and marks side by side."""
    lines = text_of(paper)
    numbers = [[(float(value), mark) for mark, value in NUMBER.findall(line)] for line in lines]
    place = -1
    keys = ["table", "row"] if paper == "reagent" else ["table", "dataset", "row"]
    for key, found in itertools.groupby(
        published(paper).to_dict("records"),
        key=lambda cell: (
            *(cell[name] for name in keys),
            cell["metric"] if (paper, cell["table"]) == ("reagent", 3) else "",
        ),
    ):
        printed = [(cell["value"], printed_mark(cell)) for cell in found]
        n = len(printed)
        place = next(
            (
                i
                for i in range(place + 1, len(lines))
                if any(numbers[i][start : start + n] == printed for start in range(len(numbers[i]) - n + 1))
            ),
            None,
        )
        assert place is not None, f"{key} is not in the text after the line before it"


def printed_line(cell: dict, keys: list[str]) -> tuple:
    halves = (cell["paper"], cell["table"]) == ("reagent", 3)  # Soft-NC and Soft-NS one below the other
    return (*(cell[name] for name in keys), cell["metric"] if halves else "")


def printed_mark(cell: dict) -> str:
    if cell["underlined"] == "yes":
        return "<u>"
    return "<b>" if cell["best_from"] == "printed" and cell["best"] == "yes" else ""


@pytest.mark.parametrize("paper", paper_names())
def test_no_line_of_a_table_is_left_out(paper):
    least, number, expected = DENSE[paper]
    assert sum(len(re.findall(number, line)) >= least for line in text_of(paper)) == expected
