"""Who may use the guard's page: a file of names, roles and PINs. Of a PIN only its scrypt hash is kept (RFC 7914)."""

import ctypes
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from gateway.errors import GatewayError
from gateway.private_files import write_private

SHORTEST_PIN, LONGEST_PIN = 6, 32  # digits
MAX_GUARDS, MAX_BYTES = 256, 256 * 1024
_N, _R, _P = 2**14, 8, 1  # 16 MB and about 0.05 s a try
_OPEN_TO_OTHERS: Final = 0o077
_M_MMAP_THRESHOLD: Final = -3  # <malloc.h>
_HEX = r"^([0-9a-f]{2}){16,64}\Z"
Hex = Annotated[str, Meta(pattern=_HEX)]


class GuardsError(GatewayError):
    """The file of the guards cannot be used, or not as asked."""


class Role(StrEnum):
    """What somebody may do."""

    GUARD = "guard"
    LEADER = "leader"  # 带班领导: instructs, and orders lockdown, free passage and drills


class Guard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One of them. `holder`: whose card logs him in, "" for none."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    role: Role = Role.GUARD
    salt: Hex
    scrypt: Hex
    holder: Annotated[str, Meta(max_length=40)] = ""

    @property
    def mark(self) -> str:
        """Other than before once the PIN has been set anew; tells nothing of it."""
        return hashlib.sha256(f"{self.name} {self.salt} {self.scrypt}".encode()).hexdigest()


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    guards: Annotated[tuple[Guard, ...], Meta(max_length=MAX_GUARDS)] = ()


def new_guard(name: str, pin: str, role: Role, holder: str = "") -> Guard:
    """A guard with this PIN. Raises GuardsError for a name or a PIN that is none."""
    wrong = wrong_pin(pin)
    if wrong:
        raise GuardsError(f"the PIN {wrong}")
    if name != name.strip() or not name.isprintable() or not 1 <= len(name) <= 64:
        raise GuardsError("a name has 1 to 64 printable characters, and no space at its ends")
    salt = secrets.token_bytes(16)
    return Guard(name=name, role=role, salt=salt.hex(), scrypt=_hash(pin, salt).hex(), holder=holder)


def wrong_pin(pin: str) -> str:
    """What is wrong with a PIN; "" when nothing is."""
    if not (pin.isascii() and pin.isdigit() and SHORTEST_PIN <= len(pin) <= LONGEST_PIN):
        return f"must be {SHORTEST_PIN} to {LONGEST_PIN} digits"
    steps = {int(two) - int(one) for one, two in pairwise(pin)}
    if len(steps) == 1 and steps <= {-1, 0, 1}:
        return "is one that everybody tries first"
    return ""


def is_right(guard: Guard | None, pin: str) -> bool:
    """Whether it is this guard's PIN. For nobody it takes as long, and is not."""
    known = guard or _NOBODY
    right = hmac.compare_digest(_hash(pin, bytes.fromhex(known.salt)).hex(), known.scrypt)
    return right and guard is not None


def _hash(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=_N, r=_R, p=_P, dklen=32)


_NOBODY = Guard(name="-", salt="00" * 16, scrypt="00" * 32)


def read_guards(path: Path) -> Mapping[str, Guard]:
    """All of them by name; none where there is no file. Raises GuardsError."""
    try:
        with path.open("rb") as opened:
            if os.fstat(opened.fileno()).st_mode & _OPEN_TO_OTHERS:
                raise GuardsError(f"{path}: others can read it; take that away: chmod 600 {path}")
            data = opened.read(MAX_BYTES + 1)
        found = msgspec.json.decode(data, type=_File).guards
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise GuardsError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise GuardsError(f"{path}: is no file of guards: {error}; make it anew with menshen gate guard add") from error
    return {guard.name: guard for guard in found}


def write_guards(path: Path, guards: Sequence[Guard]) -> None:
    """Replace the file, whole or not at all; only its owner may read it, who is the folder's. Raises GuardsError."""
    if len(guards) > MAX_GUARDS:
        raise GuardsError(f"{path}: at most {MAX_GUARDS} guards")
    try:
        write_private(path, msgspec.json.format(msgspec.json.encode(_File(guards=tuple(guards)))))
    except OSError as error:
        raise GuardsError(f"{path}: cannot be written: {error.strerror}") from error


def give_hashes_back() -> None:
    """Have the C library give the 16 MB of each hash back at once. glibc would keep them for the next one (mallopt(3), dynamic
    threshold); a gate has better uses for them."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 1024 * 1024)


class GuardBook:
    """The file as it is now: it is read again when it has changed, so that whoever is taken off it is out at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._guards: Mapping[str, Guard] = {}

    def all(self) -> Mapping[str, Guard]:
        """All guards by name. Raises GuardsError."""
        stamp = self._look()
        if stamp is None or stamp != self._stamp:
            self._guards, self._stamp = read_guards(self._path), stamp
        return self._guards

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns
