"""Top sets: by hand."""

import pytest

from attribook.errors import AttribookError
from attribook.statistics.top_sets import jaccard, top_set, top_sets


def row(item, method, scores, *, seed=0, antecedent=(), **more):
    return {"item": item, "method": method, "seed": seed, "scores": scores, "tokens": list("abcde")[: len(scores)],
            "spans": {"antecedent": list(antecedent)} if antecedent else {}, **more}  # fmt: skip


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
    # Token 0 is special: no method scores it. Of the four others a share of 0.5 takes two.
    rows = [
        row("x", "reagent", [0, 0.4, 0.3, 0.2, 0.1], seed=0, antecedent=[2, 3]),
        row("x", "reagent", [0, 0.1, 0.2, 0.3, 0.4], seed=1, antecedent=[2, 3]),
        row("x", "occlusion", [0, -0.5, 0.9, 0, 0.1], antecedent=[2, 3]),
        row("y", "occlusion", [0, 1, 1, 1, 1]),  # of equal ones the first
        row("z", "occlusion", [1, 1]),  # of another length
    ]
    found = top_sets(rows, 0.5)
    assert found["top"].tolist() == [{1, 2}, {3, 4}, {2, 4}, {1, 2}, {0}]
    assert found[["item", "method", "seed"]].to_numpy().tolist() == [[r["item"], r["method"], r["seed"]] for r in rows]
    assert found["spans"].tolist()[2:4] == [{"antecedent": [2, 3]}, {}]


def test_overlaps():
    assert jaccard(frozenset({1, 2}), frozenset({2, 4})) == pytest.approx(1 / 3)
    assert jaccard(frozenset({1}), frozenset({1})) == 1


def test_several_steps_of_one_prompt_are_refused():
    rows = [row("x", "lime", [1.0, 2.0]), row("x", "lime", [1.0, 2.0, 3.0]) | {"step": 1}]
    with pytest.raises(AttribookError, match="x is explained at several steps"):
        top_sets(rows, 0.5)
