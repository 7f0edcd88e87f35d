"""Top sets: by hand, and against counting."""

from itertools import combinations
from statistics import fmean

import pytest
from conftest import PROMPT

from attribook.errors import AttribookError
from attribook.grid.live import explain_live
from attribook.papers.reagent.top import (
    antecedent_table,
    chance_jaccard,
    cost_of_scores,
    jaccard,
    marked_example,
    marked_live,
    overlap_table,
    score_studies,
    targets_table,
    top_set,
    top_sets,
)


def row(item, method, scores, *, seed=0, antecedent=(), **more):
    return {"item": item, "method": method, "seed": seed, "scores": scores, "tokens": list("abcde")[: len(scores)],
            "spans": {"antecedent": list(antecedent)} if antecedent else {}, **more}  # fmt: skip


# Token 0 is special: no method scores it. Of the four others a share of 0.5 takes two.
ROWS = [
    row("x", "reagent", [0, 0.4, 0.3, 0.2, 0.1], seed=0, antecedent=[2, 3]),  # {1, 2}
    row("x", "reagent", [0, 0.1, 0.2, 0.3, 0.4], seed=1, antecedent=[2, 3]),  # {3, 4}
    row("x", "occlusion", [0, -0.5, 0.9, 0, 0.1], antecedent=[2, 3]),  # {2, 4}
    row("y", "reagent", [0, 4, 3, 2, 1], seed=0, antecedent=[4]),  # {1, 2}
    row("y", "reagent", [0, 4, 3, 2, 1], seed=1, antecedent=[4]),  # {1, 2}
    row("y", "occlusion", [0, 1, 1, 1, 1], antecedent=[4]),  # {1, 2}: of equal ones the first
]


def test_a_top_set_has_the_share_rounded_up_and_the_first_of_equal_tokens():
    assert top_set([5, 1, 3, 2], [1, 2, 3], 0.3) == {2}  # the highest of all is not among the places
    assert top_set([5, 1, 3, 2], [1, 2, 3], 0.34) == {2, 3}
    assert top_set([0, 0, 0, 0, 0], [0, 1, 2, 3, 4], 0.3) == {0, 1}
    assert top_set([0.5] * 100, list(range(100)), 0.3) == set(range(30))
    assert top_set([-1, -3, -2], [0, 1, 2], 1) == {0, 1, 2}
    assert len(top_set(list(range(25)), list(range(25)), 0.28)) == 7  # 0.28 * 25 is above 7 in floats


def test_what_has_no_order_is_refused():
    for scores in ([1.0, float("nan")], [1.0, float("inf")]):
        with pytest.raises(AttribookError, match="no order"):
            top_set(scores, [0, 1], 0.5)
    for share in (0.0, 1.1):
        with pytest.raises(AttribookError, match="above 0"):
            top_set([1.0], [0], share)


def test_top_sets_leave_out_tokens_that_no_method_scores():
    assert top_sets(ROWS, 0.5) == {
        "x": {"reagent": [{1, 2}, {3, 4}], "occlusion": [{2, 4}]},
        "y": {"reagent": [{1, 2}, {1, 2}], "occlusion": [{1, 2}]},
    }


def test_overlaps_by_hand():
    assert jaccard({1, 2}, {2, 4}) == pytest.approx(1 / 3)
    table = overlap_table(top_sets(ROWS, 0.5)).set_index("methods")
    # x: {1, 2} and {3, 4} share one of three with {2, 4}, nothing with each other. y: all alike.
    assert table["jaccard"].to_dict() == {
        "reagent, itself with another seed": pytest.approx((0 + 1) / 2),
        "reagent, occlusion": pytest.approx((1 / 3 + 1) / 2),
    }
    assert set(table["n"]) == {2}
    # Two prompts, drawn twice with replacement: the mean is that of either prompt alone, or of both.
    assert table.loc["reagent, occlusion", ["low", "high"]].tolist() == pytest.approx([1 / 3, 1])


def test_chance_overlap_is_the_mean_over_all_pairs_of_sets():
    sets = [set(chosen) for chosen in combinations(range(7), 3)]
    slow = fmean(jaccard(a, b) for a in sets for b in sets)
    assert chance_jaccard(7, 0.4) == pytest.approx(slow, abs=1e-12)
    assert chance_jaccard(5, 1.0) == 1


def test_antecedents_by_hand():
    table = antecedent_table(ROWS, 0.5).set_index("method")
    # reagent on x: hit by both seeds, one of two tokens covered each; on y missed.
    assert table.loc["reagent", ["hit", "covered"]].tolist() == pytest.approx([0.5, 0.25])
    assert table.loc["occlusion", ["hit", "covered"]].tolist() == pytest.approx([0.5, 0.25])
    assert table.loc["reagent", ["low hit", "high hit", "low covered", "high covered"]].tolist() == [0, 1, 0, 0.5]
    with pytest.raises(AttribookError, match="antecedent"):
        antecedent_table([row("x", "lime", [1.0, 2.0])], 0.5)


def test_examples_mark_the_antecedent_and_the_first_seed():
    texts = marked_example(ROWS, "x", 0.5)
    assert {name: marked for name, (_, marked) in texts.items()} == {
        "antecedent": {2, 3}, "reagent": {1, 2}, "occlusion": {2, 4},
    }  # fmt: skip
    assert all(tokens == list("abcde") for tokens, _ in texts.values())
    assert "antecedent" not in marked_example([row("z", "lime", [1.0, 2.0])], "z", 0.5)


def test_costs_are_means_and_stops_are_counted_over_runs():
    rows = [
        row("x", "reagent", [1], options={"runs": 5}, details={"runs_stopped": 5}, forwards=10, seconds=1.0),
        row("y", "reagent", [1], options={"runs": 5}, details={"runs_stopped": 2}, forwards=20, seconds=2.0),
        row("x", "occlusion", [1], options={}, details={}, forwards=4, seconds=0.5),
    ]
    table = cost_of_scores(rows).set_index("method")
    assert table.loc["reagent"].tolist() == pytest.approx([15, 1.5, 0.7])
    assert table.loc["occlusion", ["forwards", "seconds"]].tolist() == [4, 0.5]
    assert table["runs that stopped"].isna().tolist() == [False, True]


def test_targets_are_counted_once_a_prompt():
    targets = {"a": "\n", "b": "<|im_end|>", "c": " He", "d": " He", "e": ":"}
    rows = [row(item, "lime", [1.0], seed=seed, target=said) for item, said in targets.items() for seed in (0, 1)]
    (found,) = targets_table({"set": rows}, 2).to_dict("records")
    assert found == {"data set": "set", "n": 5, "most frequent targets": "He (2), '\\n' (1)", "no word": 3}


def test_studies_of_several_sets_keep_every_open_prompt():
    given = {"start": 2, "n_items": 2, "keep": "correct_both", "seed": 0, "random_seeds": 2}
    names = "tellmewhy-mini, wikibio-mini,longra-mini"
    studies = score_studies(names, "smoke", "tiny-gpt2", ("occlusion", "random"), **given)
    assert [study.name for study in studies.values()] == ["reagent_tellmewhy", "reagent_wikibio", "reagent_longra"]
    assert [study.keep for study in studies.values()] == ["all", "all", "correct_both"]
    rows = studies["tellmewhy-mini"].scores()
    assert len(rows) == 2 * (1 + 2)  # items, seeds
    assert {row["step"] for row in rows} == {2}
    assert overlap_table(top_sets(rows, 0.3))["n"].tolist() == [2, 2]
    assert antecedent_table(rows, 0.3)["n"].tolist() == [2, 2]


def test_several_steps_of_one_prompt_are_refused():
    rows = [row("x", "lime", [1.0, 2.0]), row("x", "lime", [1.0, 2.0, 3.0]) | {"step": 1}]
    with pytest.raises(AttribookError, match="x is explained at several steps"):
        top_sets(rows, 0.5)


def test_a_prompt_explained_on_the_spot_is_marked_where_it_scores():
    live = explain_live("tiny-gpt2", PROMPT, ("occlusion", "random"))
    texts = marked_live(live, 0.3)
    size = -(-3 * int(live.encoding.attributable.sum()) // 10)
    for name, (tokens, marked) in texts.items():
        assert tokens == live.encoding.tokens
        assert len(marked) == size
        scores = live.attributions[name].scores
        assert min(scores[list(marked)]) >= sorted(scores.tolist())[-size]
