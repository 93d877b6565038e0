"""Files from which a trust list is made, as their issuers publish them. Nothing is fetched.

- signers of EU certificates: a certificate (PEM, several in one file too, or DER), a folder of those, a national list as
  Germany publishes it (JSON, also behind its line of signature), or a map of key ids to certificates (JSON)
- issuers of SMART Health Cards: a key set with the address it was found at, or a VCI snapshot
- revoked EU certificates: text, a UVCI or its hash on each line

Of a source of hundreds the good ones are taken; whatever is left out is reported, each with its reason. A source that is
none of these, or without anything usable, is an error: else a wrong file would quietly empty a whole part of the list.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from central.trust.certificates import CertificateUnusable, signer
from central.trust.issuers import IssuersUnreadable, read_files, read_snapshot
from sync.contract.encoding import decode_json
from sync.contract.trust import Issuer, Signer
from sync.errors import CredentialRefused

Report = Callable[[str], None]
CERTIFICATES: Final = frozenset({".pem", ".der", ".crt", ".cer"})
_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_HASH: Final = re.compile(r"[0-9a-f]{32}")
_UVCI: Final = re.compile(r"[A-Za-z0-9:/#]{8,80}")


class SourceError(Exception):
    """A source that nothing can be taken from: which file, and why."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A certificate as a source gives it. `kid`: hexadecimal, where the source names it."""

    name: str
    data: bytes
    kid: str = ""
    country: str = ""


Watch = Callable[[Sequence[Candidate]], Iterable[Candidate]]


def read_signers(paths: Iterable[Path], report: Report, watch: Watch = iter) -> tuple[Signer, ...]:
    """The signers in these files and folders, each once. `watch` is given all candidates and hands them on, to show how far
    it is. Raises SourceError, OSError."""
    candidates = [candidate for path in paths for candidate in _usable(_candidates(path, report), path)]
    signers: dict[tuple[str, bytes], Signer] = {}
    for candidate in watch(candidates):
        try:
            found = signer(candidate.data, candidate.name, candidate.kid)
        except CertificateUnusable as error:
            report(str(error))
            continue
        if candidate.country:
            found = msgspec.structs.replace(found, country=candidate.country)
        signers.setdefault((found.kid, found.key), found)
    if not signers:
        raise SourceError("--eu: not one usable certificate in all of it")
    return tuple(signers.values())


def read_issuers(paths: Iterable[Path], addresses: Sequence[str], report: Report) -> tuple[Issuer, ...]:
    """The issuers in these files. `addresses`: of the key sets among them, in order. Raises SourceError, OSError."""
    left = list(addresses)
    found: dict[str, Issuer] = {}
    for path in paths:
        try:
            if "issuerInfo" in _json(path.read_bytes(), path):
                reading = read_snapshot(path.read_bytes())
            elif left:
                reading = read_files(path, left.pop(0))
            else:
                raise SourceError(
                    f"{path}: a key set does not say whose it is: add --issuer URL, one for each, in order"
                )
        except IssuersUnreadable as error:
            raise SourceError(f"{path}: {error}") from None
        for sentence in reading.left_out:
            report(f"{path}: {sentence}")
        for issuer in reading.issuers:
            if issuer.iss in found:
                report(f"{path}: issuer {issuer.iss}: was in a source before this one")
            else:
                found[issuer.iss] = issuer
    if left:
        raise SourceError(f"--issuer {left[0]}: there is no key set for it; name the file with --shc")
    if not found:
        raise SourceError("--shc: not one usable issuer in all of it")
    return tuple(found.values())


def read_revoked(paths: Iterable[Path], report: Report) -> tuple[str, ...]:
    """The hashes of revoked certificates, each once: the first 16 bytes of SHA-256 over the UVCI. Empty lines and what
    follows a `# ` count for nothing. Raises SourceError, OSError."""
    found: dict[str, None] = {}
    for path in paths:
        try:
            lines = path.read_text("utf-8").splitlines()
        except UnicodeDecodeError:
            raise SourceError(f"{path}: is no text of UVCIs or hashes") from None
        for number, line in enumerate(lines, start=1):
            text = re.split(r"(?:^|\s)#\s", line, maxsplit=1)[0].strip()
            if _HASH.fullmatch(text.lower()):
                found[text.lower()] = None
            elif _UVCI.fullmatch(text):
                found[hashlib.sha256(text.encode()).hexdigest()[:32]] = None
            elif text:
                report(f"{path}:{number}: neither a UVCI nor a hash of 32 hexadecimal digits")
    return tuple(found)


def _usable(candidates: Iterator[Candidate], path: Path) -> list[Candidate]:
    found = list(candidates)
    if not found:
        raise SourceError(f"{path}: holds no certificate")
    return found


def _candidates(path: Path, report: Report) -> Iterator[Candidate]:
    if path.is_dir():
        for file in sorted(each for each in path.rglob("*") if each.suffix.lower() in CERTIFICATES and each.is_file()):
            yield from _in_file(file.read_bytes(), str(file))
        return
    data = path.read_bytes()
    document = _document(data)
    if document is None:
        yield from _in_file(data, str(path))
    else:
        yield from _in_json(_json(document, path), path, report)


def _in_file(data: bytes, name: str) -> Iterator[Candidate]:
    """One certificate, or all that stand in a PEM file."""
    blocks = _PEM.findall(data)
    if len(blocks) > 1:
        yield from (Candidate(f"{name}, number {number}", block) for number, block in enumerate(blocks, start=1))
    else:
        yield Candidate(name, blocks[0] if blocks else data)


def _document(data: bytes) -> bytes | None:
    """The JSON of a file, without the line of signature that a national list has before it; None when it is none."""
    if data.lstrip().startswith(b"{"):
        return data
    first, _, rest = data.partition(b"\n")
    return rest if re.fullmatch(rb"[A-Za-z0-9+/=]+\r?", first) and rest.lstrip().startswith(b"{") else None


def _in_json(content: Mapping[str, object], path: Path, report: Report) -> Iterator[Candidate]:
    listed = content.get("certificates")
    if isinstance(listed, list):
        for number, entry in enumerate(listed, start=1):
            yield from _listed(entry, f"{path}, entry {number}", report)
        return
    for kid, certificates in content.items():
        if not isinstance(certificates, list):
            raise SourceError(f"{path}: neither a list `certificates` nor a map of key ids to certificates")
        for number, text in enumerate(certificates, start=1):
            data = _bytes(text)
            if data is None:
                report(f"{path}, key id {kid}, number {number}: is not base64")
            else:
                yield Candidate(f"{path}, key id {kid}, number {number}", data, kid)


def _listed(entry: object, name: str, report: Report) -> Iterator[Candidate]:
    """An entry of a national list (schema of the German DSC list)."""
    if not isinstance(entry, dict):
        report(f"{name}: is no entry")
        return
    kind, country = entry.get("certificateType", "DSC"), entry.get("country")
    kid, data = _bytes(entry.get("kid")), _bytes(entry.get("rawData"))
    if kind != "DSC":
        report(f"{name}: is of the type {kind!r}, and only a DSC signs certificates")
    elif kid is None or data is None:
        report(f"{name}: its kid or rawData is not base64")
    else:
        yield Candidate(name, data, kid.hex(), country if isinstance(country, str) else "")


def _bytes(text: object) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) and text else None
    except ValueError:
        return None


def _json(data: bytes, path: Path) -> Mapping[str, object]:
    try:
        content = decode_json(data)
    except CredentialRefused as error:
        raise SourceError(f"{path}: no JSON that could be taken: {error.reason}") from None
    if not isinstance(content, dict):
        raise SourceError(f"{path}: no JSON object")
    return content
