"""What health certificates of every format come down to, so that one rule judges them all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from gateway.core.policy import Fact


@dataclass(frozen=True, slots=True)
class Vaccination:
    """The dose `dose` of a course of `course`, given on `on`. `product`: the EU number or CVX code."""

    on: date
    dose: int
    course: int
    product: str


@dataclass(frozen=True, slots=True)
class Test:
    """A sample taken at `taken_s` (Unix seconds). `rapid`: an antigen test; `detected`: the virus was found."""

    taken_s: float
    rapid: bool
    detected: bool


@dataclass(frozen=True, slots=True)
class Recovery:
    """Recovered from an infection first found on `positive_on`. `until`: the issuer's own bound, where it gives one."""

    positive_on: date
    until: date | None = None


HealthStatement = Vaccination | Test | Recovery


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate whose issuer is known and whose time is right.

    `identity`: the same for every copy of it, however it was encoded and signed again (attackers do both): what "seen" and
    revocation are keyed on. `facts`: what it says beyond; as it is written there, so harmless only where it is shown."""

    identity: str
    statements: tuple[HealthStatement, ...]
    facts: Mapping[Fact, str] = field(default_factory=dict)
