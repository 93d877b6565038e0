"""SMART Health Cards: the specification's examples and the validator's test files.

A file is a JWS, the text of a QR (`shc:/…`) or a `.smart-health-card` (JSON with a list of JWS, told by its content); one with
several cards is accepted when each of them is. The decision is that of `gateway.credentials.smart_health_card`, at the
clock of the row, with `trust/` made into a list as the office does: `trust/jwks.json` with the revocations in `trust/crl`
belongs to the specification's example issuer, which is believed here and nowhere else.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console

from bench.score.scoring import Case, Unreadable, manifest
from central.trust.issuers import IssuersUnreadable, read_files
from gateway.credentials.smart_health_card import PREFIX, Issuers, verify, verify_jws
from sync.contract.encoding import decode_json
from sync.errors import CredentialRefused

EXAMPLE_ISSUER: Final = "https://spec.smarthealth.cards/examples/issuer"
_notes = Console(stderr=True, highlight=False, markup=False)


def cases(folder: Path) -> Iterator[Case]:
    """All cases of a folder. Raises Unreadable when it has no manifest or no keys."""
    rows, issuers = list(manifest(folder)), _trusted(folder / "trust/jwks.json")
    for row in rows:
        yield Case(
            path=row.get("file", ""), expected=row.get("expected", ""), decide=partial(_decide, folder, row, issuers)
        )


def _trusted(jwks: Path) -> Issuers:
    try:
        reading = read_files(jwks, EXAMPLE_ISSUER, allow_example=True)
    except (OSError, IssuersUnreadable) as error:
        raise Unreadable(f"{jwks}: {error}") from error
    for sentence in reading.left_out:
        _notes.print(f"not trusted: {sentence}")
    return Issuers.of(reading.issuers)


def _decide(folder: Path, row: Mapping[str, str], issuers: Issuers) -> None:
    try:
        data, now_s = (folder / row.get("file", "")).read_bytes(), float(row.get("clock", ""))
    except OSError as error:
        raise Unreadable(str(error)) from error
    except ValueError as error:
        raise Unreadable(f"no clock to check its times by: {error}") from error
    if data.startswith(PREFIX.encode()):
        verify(data.decode("utf-8", "surrogateescape"), issuers, now_s)
        return
    for jws in _cards(data) if data.lstrip().startswith(b"{") else [data]:
        verify_jws(jws, issuers, now_s)


def _cards(data: bytes) -> Sequence[bytes]:
    """The cards of a `.smart-health-card`: as the gate refuses a text, so is a file refused that is none."""
    content = decode_json(data)
    cards = content.get("verifiableCredential") if isinstance(content, dict) else None
    if not (isinstance(cards, list) and cards and all(isinstance(each, str) for each in cards)):
        raise CredentialRefused("bad-schema")
    return [each.encode("utf-8", "surrogatepass") for each in cards]
