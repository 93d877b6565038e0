"""EU Digital COVID Certificates: the member states' test files, and attacks.

Of a file of MANIFEST.csv the decision is that of `gateway.credentials.eu_certificate.authentic`, the gate's own code from
the prefix to the key usage, with the one certificate in its TESTCTX as the trust list, taken apart as the office does. Times
and key usage are checked where the manifest says that the file asserts them, at its clock. The schema is no part of the
decision: its flags are the files' least reliable ones, and the manifest decides without them (DGC1: accepted, though it
states nothing). What a gate would refuse beyond that is said on standard error.

An attack (`_attacks/hc1_attacks.json`, trusting `_attacks/trust.json`) is decided by all that a gate checks: `verify`.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console

from bench.score.scoring import Case, Unreadable, manifest, read_json
from central.trust.certificates import CertificateUnusable, signer
from gateway.credentials.eu_certificate import PREFIX, Checks, Signers, authentic, verify
from gateway.credentials.eu_content import read_content
from sync.contract.trust import Signer
from sync.errors import CredentialRefused

_ATTACKS: Final = Path("_attacks/hc1_attacks.json")
_TRUST: Final = Path("_attacks/trust.json")
_notes = Console(stderr=True, highlight=False, markup=False)


def cases(folder: Path) -> Iterator[Case]:
    """All cases of a folder. Raises Unreadable when it has no manifest."""
    for row in manifest(folder):
        yield Case(
            path=row.get("file", ""),
            expected=row.get("expected_decision", ""),
            decide=partial(_decide_file, folder, row),
            defective=row.get("defective_decision", ""),
        )
    if (folder / _ATTACKS).exists():
        yield from _attacks(folder)


def _decide_file(folder: Path, row: Mapping[str, str]) -> str | None:
    content = read_json(folder / row.get("file", ""))
    if not isinstance(content, dict):
        raise Unreadable("not a JSON object")
    checks = Checks(times=row.get("check_times") == "1", key_usage=row.get("check_key_usage") == "1")
    now_s = _clock(row.get("validation_clock", "")) if checks.times else 0.0
    certificate = _certificate(content)
    signers = _trusted([("", certificate)] if certificate else [])
    try:
        health = authentic(_text(content), signers, now_s, checks)
    except CredentialRefused as error:
        if error.reason == "unknown-key" and certificate is None:
            raise CredentialRefused(f"{error.reason}: TESTCTX.CERTIFICATE is missing") from None
        raise
    try:
        read_content(health)
    except CredentialRefused as error:
        return f"{row.get('file', '').split('/')[0]}: a gate would refuse what it states ({error.reason})"
    return None


def _text(content: Mapping[str, object]) -> str:
    text = content.get("PREFIX")
    if text is None and isinstance(content.get("BASE45"), str):
        return f"{PREFIX}{content['BASE45']}"
    if not isinstance(text, str):
        raise Unreadable("no text to decide on: PREFIX is missing")
    return text


def _certificate(content: Mapping[str, object]) -> bytes | None:
    context = content.get("TESTCTX")
    written = context.get("CERTIFICATE") if isinstance(context, dict) else None
    return _decode(written) if written else None


def _decode(written: object) -> bytes:
    """A certificate in base64, or PEM."""
    text = str(written).strip()
    if text.startswith("-----BEGIN"):
        return text.encode()
    try:
        return base64.b64decode(text)
    except ValueError as error:
        raise Unreadable(f"a certificate that is not base64: {error}") from error


def _trusted(certificates: list[tuple[str, bytes]]) -> Signers:
    """As the office makes a list of (key id or "", certificate): what it cannot use is left out, and said."""
    signers: list[Signer] = []
    for kid, data in certificates:
        try:
            signers.append(signer(data, f"certificate {kid}".strip(), kid))
        except CertificateUnusable as error:
            _notes.print(f"not trusted: {error}")
    return Signers.of(signers, ())


def _clock(written: str) -> float:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        raise Unreadable(f"no clock to check its times by: {error}") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _attacks(folder: Path) -> Iterator[Case]:
    try:
        attacks, signers = _read_attacks(folder), _attack_trust(folder)
    except Unreadable as error:
        yield Case(path=str(_ATTACKS), expected="attacks", decide=_raising(error))
        return
    for number, attack in enumerate(attacks):
        entry = attack if isinstance(attack, dict) else {}
        yield Case(
            path=f"{_ATTACKS}#{entry.get('id', number)}",
            expected=str(entry.get("expect", "")),
            decide=partial(_decide_attack, entry, signers),
        )


def _read_attacks(folder: Path) -> list[object]:
    attacks = read_json(folder / _ATTACKS)
    if not isinstance(attacks, list):
        raise Unreadable(f"{_ATTACKS}: not a JSON list")
    return attacks


def _raising(error: Unreadable) -> Callable[[], None]:
    def decide() -> None:
        raise error

    return decide


def _attack_trust(folder: Path) -> Signers:
    trust = read_json(folder / _TRUST)
    if not isinstance(trust, dict):
        raise Unreadable(f"{_TRUST}: not a JSON object of key id → certificates")
    listed = [(kid, each) for kid, found in trust.items() for each in (found if isinstance(found, list) else [found])]
    return _trusted([(kid, _decode(each)) for kid, each in listed])


def _decide_attack(entry: Mapping[str, object], signers: Signers) -> None:
    text = entry.get("text")
    if not isinstance(text, str):
        raise Unreadable("it has no text")
    verify(text, signers, _clock(str(entry.get("clock", ""))))
