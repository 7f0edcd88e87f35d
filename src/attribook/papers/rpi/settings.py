"""Names and settings that the pages on RPI share: its metrics, the methods of its tables, and its data sets."""

from dataclasses import dataclass

from attribook.errors import AttribookError
from attribook.grid.settings import setting
from attribook.papers.rpi.protocols import RELEASED

ERASURE = {
    "sufficiency": "Suff",
    "comprehensiveness": "Comp",
    "log_odds": "LO",
    "aopc_sufficiency": "A-S",
    "aopc_comprehensiveness": "A-C",
}  # as the paper calls them
UNIT = {
    "sufficiency": "Suff (probability, lower is better)",
    "comprehensiveness": "Comp (probability, higher is better)",
    "log_odds": "LO (nats, lower is better)",
    "aopc_sufficiency": "A-S (probability, lower is better)",
    "aopc_comprehensiveness": "A-C (probability, higher is better)",
}
ARROW = {name: f"{ERASURE[name]} {'↓' if 'lower' in unit else '↑'}" for name, unit in UNIT.items()}

ENCODER_ROWS = {
    "SIG": "sequential_integrated_gradients", "ALTI": "alti", "DCMP": "decompx", "LIFT": "deeplift", "GLOB": "globenc",
    "SHAP": "gradient_shap", "GXI": "input_x_gradient", "IG": "integrated_gradients", "LIME": "lime",
}  # fmt: skip  # printed rows of Table 2 beside RPI, and our methods
DECODER_ROWS = {
    "SIG": "sequential_integrated_gradients", "LIFT": "deeplift", "SHAP": "gradient_shap", "GXI": "input_x_gradient",
    "LLM": "self_ranking",
}  # fmt: skip  # printed rows of Table 4 beside RPI

NO_DEFAULTS = ("points", "timestep", "noise", "noised", "factor", "output")  # as released, these are others than ours


def released_setting(method: str = "rpi", *, layers: str | int = -3, steps: int = 31) -> str:
    """A method with the options of RPI's released code that are not our defaults."""
    return setting(method, layers=layers, steps=steps, **{name: RELEASED[name] for name in NO_DEFAULTS})


def encoder_methods(sig_steps: int) -> tuple[str, ...]:
    """The nine methods of Table 2 beside RPI, sequential integrated gradients with so many points on a path."""
    points = {"sequential_integrated_gradients": f"{{steps={sig_steps}}}"}
    return tuple(name + points.get(name, "") for name in ENCODER_ROWS.values())


# -- Tables 2 and 4 on SST-2, AG News and Emotion --------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """One of a table's data sets: its printed name, and the model and the data that stand for it here."""

    printed: str
    model: str
    dataset: str

    @property
    def table(self) -> int:
        """4 for a prompted causal model, which has a template behind a `+`; 2 for an encoder."""
        return 4 if "+" in self.model else 2

    @property
    def study(self) -> str:
        """Name of the study that has its single maps."""
        return f"rpi_table{self.table}"

    @property
    def protocol(self) -> str:
        """Name of the protocol under which its rows are made."""
        return "rpi-prompted" if self.table == 4 else "rpi-paper"

    def __str__(self) -> str:
        return f"{self.model}, {self.dataset}"


KNOWN = [
    Task("SST2", "minilm-sst2", "sst2-held-out"),
    Task("AGN", "minilm-ag-news", "ag-news-held-out"),
    Task("EMR", "minilm-emotion", "emotion-held-out"),
    Task("SST2", "gemma-3-270m+sentiment", "sst2-held-out"),
    Task("AGN", "gemma-3-270m+topic", "ag-news-held-out"),
    Task("EMR", "gemma-3-270m+emotion", "emotion-held-out"),
]


def read_tasks(text: str) -> list[Task]:
    """Tasks from text with commas between: `printed:model:dataset`, or a printed name for all that are known by it.

    Raises: AttribookError for others.
    """
    found = []
    for part in text.replace(",", " ").split():
        names, known = part.split(":"), [task for task in KNOWN if task.printed == part]
        if len(names) != 3 and not known:
            raise AttribookError(
                f"{part!r} is no task. Choose of {', '.join(dict.fromkeys(task.printed for task in KNOWN))}, or write "
                "a printed name, a model and a data set, as in SST2:minilm-sst2:sst2-held-out."
            )
        found += known or [Task(*names)]
    return sorted(found, key=lambda task: task.table)
