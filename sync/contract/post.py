"""What a guard post says to a gate: heartbeats and questions. Sealed documents (`sealed`), JSON inside, signed by the post's own key.

A heartbeat: somebody at the post of this site hears this gate, and works. It names the gate's boot, and the least that the gate's clock shows by now, which the post takes from the gate's last
state. So only a post that hears the gate can make one, it dies with the boot, and one that was kept is soon too old.

A question: a number used once, which the gate's next state says again (`sync.contract.alarms.Asked`). By that the post knows that
a state was made after it asked; it says nothing of who hears whom, and is asked of any gate.
"""

from collections.abc import Sequence
from typing import Annotated, Final, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.contract.commands import Number
from sync.contract.sealed import SealError, seal, sealed_as, unseal
from sync.contract.topics import GATE_ID

WHAT: Final = "post"
QUESTION: Final = "post-question"
MAX_HEARTBEAT: Final = 1_024  # bytes of one, sealed
BEAT_MS: Final = 3_000  # a post says one this often, and a gate its state to the post
SILENT_MS: Final = 10_000  # nothing heard for so long: silent, at either end
AHEAD_MS: Final = 1_000  # two clocks run apart a little between two states
_Name = Annotated[str, msgspec.Meta(pattern=rf"^{GATE_ID.pattern}\Z")]
_Said = TypeVar("_Said")
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`post`: its id; `mono_ms`: the least that the gate's clock shows, in milliseconds since `boot`; `sequence`: a number that
    rises with each heartbeat of a run of the post."""

    gate: _Name
    post: _Name
    boot: Number
    mono_ms: _Count
    sequence: _Count


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`post`: its id; `number`: 32 random hexadecimal digits, used once."""

    gate: _Name
    post: _Name
    number: Number


_DECODER: Final = msgspec.json.Decoder(Heartbeat)
_QUESTION: Final = msgspec.json.Decoder(Question)


class NoHeartbeat(SealError):
    """What is signed as a heartbeat or a question, and is none."""


def seal_heartbeat(heartbeat: Heartbeat, key: Ed25519PrivateKey) -> bytes:
    """The heartbeat, signed."""
    return seal(msgspec.json.encode(heartbeat), WHAT, key)


def unseal_heartbeat(data: bytes, keys: Sequence[Ed25519PublicKey]) -> Heartbeat:
    """The heartbeat in `data`, signed by one of the pinned `keys`. Raises SealError, NotSealed, NoHeartbeat."""
    return read_heartbeat(unseal(data, WHAT, keys))


def read_heartbeat(document: bytes) -> Heartbeat:
    """The heartbeat in a document, whoever signed it. Raises NoHeartbeat."""
    return _decoded(document, _DECODER, "heartbeat")


def seal_question(question: Question, key: Ed25519PrivateKey) -> bytes:
    """The question, signed."""
    return seal(msgspec.json.encode(question), QUESTION, key)


def read_question(document: bytes) -> Question:
    """The question in a document, whoever signed it. Raises NoHeartbeat."""
    return _decoded(document, _QUESTION, "question")


def unseal_said(data: bytes, keys: Sequence[Ed25519PublicKey]) -> Heartbeat | Question:
    """The heartbeat or question in `data`, signed by one of the pinned `keys`. Raises SealError, NotSealed, NoHeartbeat."""
    if sealed_as(data, QUESTION):
        return read_question(unseal(data, QUESTION, keys))
    return unseal_heartbeat(data, keys)


def _decoded(document: bytes, decoder: msgspec.json.Decoder[_Said], what: str) -> _Said:
    try:
        return decoder.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NoHeartbeat(f"no {what}: {error}") from None
