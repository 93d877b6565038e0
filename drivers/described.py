"""A model in words, out of its builder's docstring."""

import re
from dataclasses import dataclass
from inspect import getdoc

from drivers.catalogue import MODELS


@dataclass(frozen=True, slots=True)
class Described:
    """`what`: what it is and gives; `unit`: of what it gives; `source`: of what is known of it."""

    what: str
    unit: str
    source: str


def described(name: str) -> Described:
    """Of one model. Raises KeyError for one that there is not, ValueError for a docstring without unit and source."""
    text = " ".join((getdoc(MODELS[name].build) or "").split())
    found = re.fullmatch(r"(.*?)\.? Unit: (.*?)\.? Source: (.*?)\.?", text)
    if found is None:
        raise ValueError(f"{name}: its builder's docstring says no unit and source")
    return Described(*found.groups())
