"""What the pages of Noiser's part share: the ten methods, and where the rows of each task lie.

A task is a set of arguments for `Study`, to which a page adds its own: `Study(**KNOWNS, profile=profile, ...)`. Knowns
has rows of its own under the protocol as written. LongRA and WikiBio share prompts and rows with ReAGent's part, under
the protocol `attribook`, so that no row is computed twice.
"""

from collections.abc import Mapping
from typing import Any

SOFT = ("soft_nc", "soft_ns")  # faithfulness is the sum of their log-ratios to random scores
TEN = (
    "noiser", "occlusion", "input_x_gradient", "integrated_gradients", "gradient_shap", "deeplift",
    "sequential_integrated_gradients", "lime", "attention_last", "attention_rollout",
)  # fmt: skip
FEWER = "{vectors=3}"  # of noiser's noise vectors, where prompts are long

KNOWNS: dict[str, Any] = {"name": "noiser_knowns", "protocol": "noiser-paper", "metrics": SOFT}
LONGRA: dict[str, Any] = {"name": "reagent_longra", "protocol": "attribook", "metrics": SOFT}
WIKIBIO: dict[str, Any] = {
    "name": "reagent_wikibio", "protocol": "attribook", "metrics": SOFT,
    "keep": "all", "continuation": 10, "start": 5, "stride": 5,  # the sixth of ten tokens that the model goes on with
}  # fmt: skip


def judged(task: Mapping[str, Any], judge: str, *, rows: str = "judged") -> dict[str, Any]:
    """Arguments of a `JudgeStudy` of the stored scores of a task, which has a folder for each judge.

    rows: `judged`, or `minimum` for the folder of how few words the judge needs.
    """
    name = f"{task['name']}_{rows}_{judge.strip('/').replace('/', '-').replace('-', '_')}"
    return {"name": name, "protocol": task["protocol"], "source": task["name"], "judge": judge}
