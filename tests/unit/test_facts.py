"""What readers know of methods and metrics without torch is what the registered functions declare."""

import subprocess
import sys

from attribook.attribution import candidates, names
from attribook.attribution.registry import METHODS
from attribook.metrics import names as metric_names
from attribook.metrics.registry import METRICS


def test_methods_declare_what_names_has():
    assert list(names.FACTS) == list(METHODS)
    assert all(method.facts == names.FACTS[name] for name, method in METHODS.items())
    assert {name for name, facts in names.FACTS.items() if facts.candidates} == set(candidates.CANDIDATES)


def test_metrics_declare_what_names_has():
    assert list(metric_names.FACTS) == list(METRICS)
    assert all(metric.facts == metric_names.FACTS[name] for name, metric in METRICS.items())
    told = {name: "lower is better" in metric.function.__doc__ for name, metric in METRICS.items()}
    told["naopc"] = False  # it has an order for either direction; as for comprehensiveness by default
    assert told == {name: facts.lower_is_better for name, facts in metric_names.FACTS.items()}


def test_a_method_that_differs_from_its_entry_is_refused():
    code = (
        "from attribook.attribution import names\n"
        "import dataclasses\n"
        "names.FACTS['lime'] = dataclasses.replace(names.FACTS['lime'], version=99)\n"
        "import attribook.attribution.registry\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "other versions or options than attribution/names.py: ['lime']" in done.stderr
