"""Momentary commands: what the office wants of a gate now or not at all. A sealed document (`sealed`), JSON inside.

A command names the gate's boot, and the moment of that boot until which it is good; the office takes both from the gate's
last state. So it dies with the boot, needs nobody's wall clock, and is never kept for later. What is to hold until it is
changed (a mode, a lockdown) is no command.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.contract.sealed import SealError, seal, unseal
from sync.contract.topics import GATE_ID

WHAT: Final = "command"
MAX_SEALED: Final = 4_096  # bytes of one, sealed
LIFE_MS: Final = 5_000  # what the office gives a command, and waits for its answer
MAX_LIFE_MS: Final = 60_000  # what a gate takes; for so long it remembers what it has carried out

SAYABLE: Final = (
    "welcome", "night-welcome", "show-pass", "show-forehead", "show-health-code", "register", "measure-again",
    "guard-comes", "call-heard", "close-door", "locked-down",
)  # fmt: skip
"""The phrases that may be asked for: those of the gate's packs that ask or tell something, and neither judge anybody nor
call an alarm. Never free text: nobody who gets hold of the key speaks through a gate."""

Number = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]  # 16 random bytes, or a boot id
Word = Annotated[str, msgspec.Meta(max_length=64)]
Note = Annotated[str, msgspec.Meta(max_length=500)]


class _Command(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="action"
):
    """What all of them say. `id`: random, one of its own; `not_after_mono`: the gate's milliseconds since `boot` up to which
    it is good; `by`: the office's user who ordered it. A field that is not known is refused: it may be a condition."""

    gate: Annotated[str, msgspec.Meta(pattern=rf"^{GATE_ID.pattern}\Z")]
    id: Number
    boot: Number
    not_after_mono: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    by: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Release(_Command, frozen=True, kw_only=True, tag="release"):
    """Let somebody in. `portal`: "" for the gate's only one; `reason`: why, for the record."""

    portal: Word = ""
    reason: Note = ""


class Say(_Command, frozen=True, kw_only=True, tag="say"):
    """Say a phrase of `SAYABLE`."""

    phrase: Word


class Acknowledge(_Command, frozen=True, kw_only=True, tag="acknowledge"):
    """Acknowledge one alarm by its id. `note`: what was done, for the record."""

    alarm: Number
    note: Note = ""


Command = Release | Say | Acknowledge
_DECODER: Final[msgspec.json.Decoder[Command]] = msgspec.json.Decoder(Command)


class NoCommand(SealError):
    """What is signed, or to be signed, as a command, and is none that this version knows."""


def action_of(command: Command) -> str:
    """`release`, `say`, `acknowledge`."""
    return str(command.__struct_config__.tag)


def seal_command(command: Command, key: Ed25519PrivateKey) -> bytes:
    """The command, signed. Raises NoCommand for one that no gate would take."""
    document = msgspec.json.encode(command)
    read_command(document)
    return seal(document, WHAT, key)


def unseal_command(data: bytes, keys: Sequence[Ed25519PublicKey]) -> Command:
    """The command in `data`, signed by one of the pinned `keys`. Raises SealError, NotSealed, NoCommand."""
    return read_command(unseal(data, WHAT, keys))


def read_command(document: bytes) -> Command:
    """The command in a document, whoever signed it. Raises NoCommand."""
    try:
        return _DECODER.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NoCommand(f"no command: {error}") from None
