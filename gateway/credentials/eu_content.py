"""What stands inside an EU certificate, checked by hand: the official schemas 1.0.0 to 1.3.3 in one, without their lists
of values (jsonschema takes 30 to 60 ms for what takes microseconds here).

More than the schemas is taken where real certificates have it: a time behind a date, a statement that is null or empty
beside the one that counts, several entries of one kind (the schemas before 1.3.0 allowed them), dates as CBOR's own.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from gateway.core.policy import Fact, Statement
from gateway.credentials.certificate import Certificate, HealthStatement, Recovery, Test, Vaccination
from sync.errors import CredentialRefused

COVID_19: Final = "840539006"  # SNOMED CT, as are the results
DETECTED, NOT_DETECTED = "260373001", "260415000"
MOLECULAR, RAPID = "LP6464-4", "LP217198-3"  # LOINC parts
MAX_STRING: Final = 80  # schema 1.3.3; 50 before
MAX_ENTRIES: Final = 10
_GROUPS: Final = {"v": Statement.VACCINATION, "t": Statement.TEST, "r": Statement.RECOVERY}
_BIRTH: Final = re.compile(r"((19|20)\d\d(-\d\d){0,2}(T[0-9:.Z+-]{1,20})?)?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_Map = Mapping[object, object]


@dataclass(frozen=True, slots=True)
class Content:
    """A certificate and the UVCIs of its entries, by which it is revoked."""

    certificate: Certificate
    uvcis: tuple[str, ...]


def stated(content: _Map) -> frozenset[str]:
    """The kinds of statement it has: of `vaccination`, `test`, `recovery`."""
    return frozenset(kind for group, kind in _GROUPS.items() if content.get(group))


def read_content(content: _Map) -> Content:
    """A health certificate (claim -260, 1), read.

    Raises CredentialRefused: `bad-schema`, `no-statement`, `several-statements`, `other-disease`, `unknown-test`."""
    groups = [group for group in _GROUPS if content.get(group)]
    if not groups:
        raise CredentialRefused("no-statement")
    if len(groups) > 1:
        raise CredentialRefused("several-statements")
    entries = _entries(content[groups[0]])
    kind = _GROUPS[groups[0]]
    statements = tuple(_READERS[kind](entry) for entry in entries)
    uvcis = tuple(_string(entry, "ci", at_least=1) for entry in entries)
    facts = _facts(content, kind, _string(entries[0], "co"))
    return Content(Certificate(identity=" ".join(uvcis), statements=statements, facts=facts), uvcis)


def _facts(content: _Map, kind: Statement, country: str) -> Mapping[Fact, str]:
    _string(content, "ver", at_least=1)
    born = _string(content, "dob")
    if not _BIRTH.fullmatch(born):
        raise CredentialRefused("bad-schema")
    return {Fact.STATEMENT: kind.value, Fact.COUNTRY: country, Fact.NAME: _name(content), Fact.BIRTH_DATE: born[:10]}


def _name(content: _Map) -> str:
    """Given and family name, as they are written; where they are not, in the letters of a passport (ICAO 9303)."""
    name = content.get("nam")
    if not (isinstance(name, dict) and ("fnt" in name or "gnt" in name)):
        raise CredentialRefused("bad-schema")
    given, family, given_icao, family_icao = (_optional(name, key) for key in ("gn", "fn", "gnt", "fnt"))
    return f"{given or given_icao} {family or family_icao}".strip()


def _entries(value: object) -> Sequence[_Map]:
    if not isinstance(value, (list, tuple)) or len(value) > MAX_ENTRIES:
        raise CredentialRefused("bad-schema")
    for entry in value:
        if not isinstance(entry, dict):
            raise CredentialRefused("bad-schema")
        for key in ("co", "is"):
            _string(entry, key)
        if _string(entry, "tg") != COVID_19:
            raise CredentialRefused("other-disease")
    return value


def _vaccination(entry: _Map) -> Vaccination:
    for key in ("vp", "ma"):
        _string(entry, key)
    return Vaccination(
        on=_date(entry, "dt"), dose=_dose(entry, "dn"), course=_dose(entry, "sd"), product=_string(entry, "mp")
    )


def _test(entry: _Map) -> Test:
    """A test of a kind and with a result that are known: an antibody test, say, states nothing about today."""
    for key in ("nm", "ma", "tc"):
        _optional(entry, key)
    kind, result = _string(entry, "tt"), _string(entry, "tr")
    taken_s = _moment(entry, "sc")
    if kind not in {MOLECULAR, RAPID} or result not in {DETECTED, NOT_DETECTED}:
        raise CredentialRefused("unknown-test")
    return Test(taken_s=taken_s, rapid=kind == RAPID, detected=result == DETECTED)


def _recovery(entry: _Map) -> Recovery:
    _date(entry, "df")
    return Recovery(positive_on=_date(entry, "fr"), until=_date(entry, "du"))


_READERS: Final[Mapping[Statement, Callable[[_Map], HealthStatement]]] = {
    Statement.VACCINATION: _vaccination,
    Statement.TEST: _test,
    Statement.RECOVERY: _recovery,
}


def _string(of: _Map, key: str, at_least: int = 0) -> str:
    value = of.get(key)
    if not (isinstance(value, str) and at_least <= len(value) <= MAX_STRING):
        raise CredentialRefused("bad-schema")
    return value


def _optional(of: _Map, key: str) -> str:
    return "" if of.get(key) is None else _string(of, key)


def _dose(of: _Map, key: str) -> int:
    value = of.get(key)
    if not (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 99):
        raise CredentialRefused("bad-schema")
    return value


def _date(of: _Map, key: str) -> date:
    text = _string(of, key, at_least=10)
    if not _DATE.match(text) or text[10:11] not in {"", "T"}:
        raise CredentialRefused("bad-schema")
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise CredentialRefused("bad-schema") from None


def _moment(of: _Map, key: str) -> float:
    """Unix seconds of a date with time (RFC 3339), or of CBOR's tag 1; a text without a time zone is in UTC."""
    value = of.get(key)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 2**33:
        return float(value)
    _date(of, key)
    try:
        moment = datetime.fromisoformat(_string(of, key, at_least=16))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise CredentialRefused("bad-schema") from None
