"""The rows of a site's directory: what the office knows and its gates decide by. Both ends agree on them here.

A row is `table`, `key` and a value in JSON; the key is one field of the row and is not repeated in its value. A gate passes
over fields that it does not know, and lets nobody in by a row that it does not understand.

    holder    holder reference → Holder           status   holder reference → Status
    card      UID → Card                          policy   dotted key, or GATE/dotted key → a JSON value
    code      SHA-256 of its text → Code          phrase   LANGUAGE/PHRASE → Wording
    revoked   pass id → empty                     mode     gate id or `*` → ModeOrder
    booking   holder reference → Booking          count    gate id → CountOrder
    duty      shift → Duty                        elsewhere  gate id → Elsewhere
"""

from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec

from sync.contract.colours import HealthCode, PassType

Uid = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-F]{8,20}\Z")]
Reference = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,40}\Z")]
Site = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,32}\Z")]
PassId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}\Z")]
OrderId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
Who = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Ms = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
NOBODY: Final = (
    "-"  # the holder of a code of which it is not known whose it is, and of a card that nobody was given yet
)
EVERY_GATE: Final = "*"
"""The key of an order for all gates of the site."""


class Table(StrEnum):
    """The tables there are. Others are kept and mean nothing to this version."""

    HOLDER = "holder"
    CARD = "card"
    CODE = "code"
    REVOKED = "revoked"
    STATUS = "status"
    POLICY = "policy"
    PHRASE = "phrase"
    MODE = "mode"
    COUNT = "count"
    BOOKING = "booking"
    DUTY = "duty"
    ELSEWHERE = "elsewhere"


class Holder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who may hold credentials. `valid_until_s`: Unix seconds, 0 = no end; `registered`: the registration step
    was done at the office; `sites`: where their cards are good, empty = at every site that this directory serves."""

    holder: Reference
    pass_type: PassType
    valid_from_s: int = 0
    valid_until_s: int = 0
    registered: bool = True
    extended: bool = False
    sites: Annotated[tuple[Site, ...], msgspec.Meta(max_length=64)] = ()


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A card: `uid` upper-case hexadecimal, as the reader gives it; `holder`: `NOBODY` for one that is delivered and not yet
    given out; `lost` cards are refused."""

    uid: Uid
    holder: Reference
    lost: bool = False


class Code(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A health code known to the office, by the SHA-256 of its text (64 hexadecimal digits). `holder`: whose it is,
    where that is known."""

    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    health_code: HealthCode
    holder: Reference = NOBODY
    valid_until_s: int = 0


class HolderStatus(StrEnum):
    """What holds for a person for a while."""

    HOME_OBSERVATION = "home-observation"  # is to stay at home: goes out through no gate


class Status(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A holder's status. `until_s`: Unix seconds, 0 = until it is taken away."""

    holder: Reference
    status: HolderStatus
    until_s: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0


class Wording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a phrase is worded at this site, in place of what the phrase pack says."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class ModeOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mode that a gate is to be in: desired state, which holds until another is ordered, however long the gate was away.

    `id`: random, another one for each order; a gate carries each out once, so that whoever switches the mode at the gate
    afterwards has the last word, as the office has with its next order. `drill`: it is an exercise, and what it brings about
    is recorded as one. `by`: the office's user; `at_ms`: when (Unix milliseconds): of two orders that a gate finds at once,
    one for itself and one for all, the later one counts."""

    id: OrderId
    mode: Literal["normal", "free", "free-exit", "closed", "lockdown"]
    by: Who
    at_ms: Ms
    drill: bool = False


class CountOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many people are inside: a correction, carried out once. As `ModeOrder`."""

    id: OrderId
    inside: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    by: Who
    at_ms: Ms


class Slot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A time slot, Unix seconds: from `begins_s` to before `ends_s`."""

    begins_s: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    ends_s: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """The time slots that a holder has booked (预约)."""

    slots: Annotated[tuple[Slot, ...], msgspec.Meta(max_length=64)]


class DutyRole(StrEnum):
    """Who is on duty (值班)."""

    GUARD = "guard"
    DUTY_ROOM = "duty-room"  # 值班人员
    LEADER = "leader"  # 带班领导


def concerns(key: str, gate: str) -> bool:
    """Whether a row of `policy` or `duty` is for this gate: its key begins with the gate's id and `/`, or has none before it."""
    before, slash, _ = key.rpartition("/")
    return not slash or before == gate


class Duty(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One shift of the duty roster: who, in which role, and how to reach them. Unix seconds."""

    name: Who
    role: DutyRole
    phone: Annotated[str, msgspec.Meta(max_length=32)] = ""
    begins_s: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    ends_s: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Elsewhere(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many have come into the site by its other gates, less those who went out by them, as the office knew at `at_ms`
    (Unix milliseconds); so it may be below 0."""

    inside: Annotated[int, msgspec.Meta(ge=-1_000_000, le=1_000_000)]
    at_ms: Ms
