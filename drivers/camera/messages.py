"""What the gate's process and the camera's process tell each other: one MessagePack struct a packet."""

from enum import StrEnum
from typing import Annotated, Final

import msgspec

from drivers.readings import DeviceState, Hint

MAX_PACKET: Final = 64 * 1024  # bytes


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How patient the camera's process is, in seconds."""

    beat_s: float = 0.5  # a sign of life at least this often
    frozen_s: float = 3.0  # the same picture for this long: the camera hangs, or is covered
    # A driver that does not return for so long hangs, and the process gives itself up: while it opens and has not yet given
    # a picture, and from then on. The latter is above the 2 s after which V4L2 itself says that there is no picture.
    opening_s: float = 15.0
    picture_s: float = 3.0
    retry_first_s: float = 0.5
    retry_longest_s: float = 10.0


LIMITS = Limits()


class SceneFault(StrEnum):
    """What can go wrong with the simulated camera."""

    NONE = "none"
    FREEZE = "freeze"  # the same picture for ever
    UNPLUG = "unplug"
    HANG = "hang"  # the driver does not return


class Open(msgspec.Struct, frozen=True, tag="open"):
    """First word to a new process: which source, and how. `settings` is JSON of the model's settings."""

    model: str
    settings: bytes
    limits: Limits


class Show(msgspec.Struct, frozen=True, tag="show"):
    """Bring a QR with these bytes before the simulated camera."""

    data: bytes


class Clear(msgspec.Struct, frozen=True, tag="clear"):
    """Take it away."""


class Fault(msgspec.Struct, frozen=True, tag="fault"):
    """Break the simulated camera, or mend it."""

    fault: SceneFault


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """A sign of life from the decoding thread: pictures decoded so far."""

    frames: Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]


class Code(msgspec.Struct, frozen=True, tag="code"):
    """A code came into view."""

    data: bytes
    symbology: str
    decoder: str


class Hinted(msgspec.Struct, frozen=True, tag="hint"):
    """Something looks like a code and can't be read: what is wrong."""

    hint: Hint


class Status(msgspec.Struct, frozen=True, tag="status"):
    """The source's state changed."""

    state: DeviceState
    detail: str


class Notice(msgspec.Struct, frozen=True, tag="notice"):
    """Something worth a line in the log."""

    text: str


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The folder or video has been shown to its end."""

    detail: str


ToCamera = Open | Show | Clear | Fault
FromCamera = Beat | Code | Hinted | Status | Notice | Ended

encode = msgspec.msgpack.Encoder().encode
decode_order: msgspec.msgpack.Decoder[ToCamera] = msgspec.msgpack.Decoder(ToCamera)
decode_report: msgspec.msgpack.Decoder[FromCamera] = msgspec.msgpack.Decoder(FromCamera)
