"""What a FHIR R4 bundle in a health card states: vaccinations against COVID-19 and tests for SARS-CoV-2.

After the profiles of http://hl7.org/fhir/uv/shc-vaccination. Whatever is not understood states nothing: other diseases and
code systems, reports, results that are neither found nor not found, dates without a day.

A bundle does not say how many doses a course has, so that is our rule: the doses are numbered by their days (two entries of
one day are one dose), and the first dose's product says how many make the course. What was given on a mere day counts from
the first moment that can be meant.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Final

from gateway.core.policy import Fact, Statement
from gateway.credentials.certificate import HealthStatement, Test, Vaccination
from sync.errors import CredentialRefused

CVX: Final = "http://hl7.org/fhir/sid/cvx"
LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"

COVID_VACCINES: Final = frozenset(
    map(str, (207, 208, 210, 211, 212, 213, 217, 218, 219, 221, *range(225, 231), *range(300, 303), *range(308, 314)))
) | frozenset(map(str, range(500, 521)))
"""CVX codes of vaccines against COVID-19 (CDC; dvci/shc-terminology, immunization-covid-cvx)."""
COURSES: Final = {"212": 1, "504": 1, "506": 1, "507": 3, "513": 3, "514": 3}
"""Doses of a course by the CVX code of the first: Janssen, Sputnik Light and CanSino 1, Zifivax and ZyCoV-D 3. All others 2."""
_USUAL_COURSE: Final = 2

_LOINC_MOLECULAR: Final = """
94307-6 94308-4 94309-2 94310-0 94314-2 94315-9 94316-7 94500-6 94502-2 94532-9 94533-7 94534-5 94559-2 94565-9 94639-2
94640-0 94641-8 94647-5 94756-4 94757-2 94758-0 94759-8 94760-6 94822-4 94845-5 95406-5 95409-9 95423-0 95424-8 95425-5
95608-6 95609-4 95823-1 95824-9 96091-4 96120-1 96121-9 96122-7 96123-5 96448-6 96763-8 96765-3 96797-6 96957-6 96958-4
96986-5 97098-8 98131-6 98132-4 98493-0 98494-8
"""
MOLECULAR_TESTS: Final = frozenset(_LOINC_MOLECULAR.split())
ANTIGEN_TESTS: Final = frozenset({"94558-4", "95209-3", "96119-3", "97097-0"})
"""LOINC codes (value set lab-qualitative-test-covid) of nucleic acid and of antigen; those of antibodies are no test."""
DETECTED: Final = frozenset({"260373001", "10828004", "11214006", "720735008", "415684004", "840533007"})
"""SNOMED CT: detected, positive, reactive, presumptive positive, suspected, the virus itself."""
NOT_DETECTED: Final = frozenset({"260415000", "260385009", "131194007"})
"""SNOMED CT: not detected, negative, non-reactive."""

_TESTS: Final = MOLECULAR_TESTS | ANTIGEN_TESTS
_RESULTS: Final = DETECTED | NOT_DETECTED

_FIRST_ZONE: Final = timezone(timedelta(hours=14))
_DATE_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2}))?"
)
"""FHIR R4 dateTime with a day at least; a time has its zone."""


def read_bundle(bundle: Mapping[str, object]) -> tuple[tuple[HealthStatement, ...], Mapping[Fact, str]]:
    """What the bundle states, vaccinations before tests and each in the order of time, and what it says beyond.

    Raises CredentialRefused: `bad-schema` for one of several patients."""
    doses: dict[date, str] = {}
    tests: list[Test] = []
    patients: list[Mapping[str, object]] = []
    for resource in _resources(bundle):
        kind = resource.get("resourceType")
        if kind == "Immunization":
            _add_dose(resource, doses)
        elif kind == "Observation":
            tests.extend(_test(resource))
        elif kind == "Patient":
            patients.append(resource)
    if len(patients) > 1:  # a card is one person's: doses of two must not count together
        raise CredentialRefused("bad-schema")
    tests.sort(key=lambda test: test.taken_s)
    kinds = [Statement.VACCINATION] * bool(doses) + [Statement.TEST] * bool(tests)
    return (*_numbered(doses), *tests), _facts(kinds, patients)


def _numbered(doses: Mapping[date, str]) -> Iterator[Vaccination]:
    """The doses of a course, from their days and products."""
    days = sorted(doses)
    for dose, day in enumerate(days, start=1):
        yield Vaccination(day, dose, COURSES.get(doses[days[0]], _USUAL_COURSE), doses[day])


def _facts(kinds: Iterable[Statement], patients: Sequence[Mapping[str, object]]) -> Mapping[Fact, str]:
    """Which kinds of statement it has, and name and birth date where it is about one person. No bundle names a country."""
    facts = {Fact.STATEMENT: " ".join(kinds)}
    if patients:
        facts[Fact.NAME] = _name(patients[0].get("name"))
        facts[Fact.BIRTH_DATE] = _text(patients[0].get("birthDate"))
    return {fact: value for fact, value in facts.items() if value}


def _resources(bundle: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    for entry in _list(bundle.get("entry")):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            yield resource


def _add_dose(resource: Mapping[str, object], doses: dict[date, str]) -> None:
    product = _code(resource.get("vaccineCode"), CVX)
    when = _date_time(resource.get("occurrenceDateTime"))
    if resource.get("status") == "completed" and product in COVID_VACCINES and when is not None:
        doses.setdefault(when.date(), product)  # the day as it is written: where the dose was given


def _test(resource: Mapping[str, object]) -> Iterator[Test]:
    test, result = _code(resource.get("code"), LOINC), _code(resource.get("valueCodeableConcept"), SNOMED)
    taken = _date_time(resource.get("effectiveDateTime"))
    if resource.get("status") not in ("final", "amended", "corrected") or taken is None:
        return
    if test in _TESTS and result in _RESULTS:
        yield Test(taken.timestamp(), rapid=test in ANTIGEN_TESTS, detected=result in DETECTED)


def _code(concept: object, system: str) -> str:
    """The concept's first code of `system`; "" when it has none."""
    for coding in _list(concept.get("coding")) if isinstance(concept, dict) else ():
        if isinstance(coding, dict) and coding.get("system") == system:
            code = coding.get("code")
            return code if isinstance(code, str) else ""
    return ""


def _date_time(value: object) -> datetime | None:
    """A dateTime; of a mere day its beginning, where it begins first."""
    if not (isinstance(value, str) and _DATE_TIME.fullmatch(value)):
        return None
    try:
        when = datetime.fromisoformat(value)
    except ValueError:  # no such day
        return None
    return when if when.tzinfo else when.replace(tzinfo=_FIRST_ZONE)


def _name(names: object) -> str:
    """Given names and family name of the first HumanName, or its text."""
    name = next(iter(_list(names)), None)
    if not isinstance(name, dict):
        return ""
    parts = [*_list(name.get("given")), name.get("family")]
    return " ".join(part for part in parts if isinstance(part, str)) or _text(name.get("text"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
