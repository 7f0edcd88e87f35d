"""ReAGent's tasks: whose prompts and seeds they have, and in which direction a result points."""

import pandas as pd

from attribook.papers.reagent.tasks import reagent_tasks, with_slow
from attribook.statistics.published_direction import NOT_PUBLISHED, OPPOSITE, SAME, published_direction
from attribook.statistics.tests import UNDECIDED


def test_tasks_of_a_model_have_their_prompts_and_seeds():
    datasets = {"TellMeWhy": "tellmewhy-mini", "LongRA": "longra-mini"}
    given = {"profile": "smoke", "n_items": 2, "longra_items": 1, "keep": "all", "seed": 0}
    studies = reagent_tasks("tiny-gpt2", datasets, **given)
    assert [(study.name, study.n_items) for study in studies.values()] == [
        ("reagent_tellmewhy", 2),
        ("reagent_longra", 1),
    ]
    found = pd.concat(s.frame() for s in with_slow(studies["TellMeWhy"], {"gradient_shap": 2, "lime": 1}, {"lime": 3}))
    assert set(found["step"]) == {5}
    counts = found.groupby("method")[["item", "seed"]].nunique()
    assert counts.loc[["gradient_shap", "lime", "random"]].to_numpy().tolist() == [[2, 1], [1, 3], [2, 5]]


def test_only_a_decided_estimate_has_a_direction():
    nan = float("nan")
    table = pd.DataFrame(
        [(0.5, 0.01, "", 2.0), (0.5, 0.01, "", -2.0), (-0.5, 0.01, "", -2.0), (0.5, 0.06, "", 2.0),
         (0.5, 0.01, "n is below 40", 2.0), (0.5, 0.01, "", nan), (0.5, 0.01, "", 0.0), (nan, 1.0, "", 1.0)],
        columns=["value", "p", "no verdict", "published"],
    )  # fmt: skip
    few = UNDECIDED
    expected = [SAME, OPPOSITE, SAME, UNDECIDED, few, NOT_PUBLISHED, UNDECIDED, UNDECIDED]
    assert published_direction(table).tolist() == expected
