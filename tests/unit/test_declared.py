"""What a listing says without torch is what the methods and the makers of tiny models say themselves."""

from attribook.attribution.declared import declared_methods
from attribook.attribution.registry import METHODS
from attribook.models.known import TINY
from attribook.models.tiny import CLASSIFIERS, FAMILIES


def test_declared_methods_are_the_registered_ones():
    found = declared_methods()
    assert list(found) == list(METHODS)
    for name, one in found.items():
        method = METHODS[name]
        assert (one.summary, one.forwards, one.backwards) == (method.summary, method.forwards, method.backwards)
        assert one.facts == method.facts


def test_tiny_models_are_those_that_are_made():
    assert (*FAMILIES, *CLASSIFIERS) == TINY
