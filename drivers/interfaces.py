"""The small interfaces behind which devices stand. The gate knows these and nothing of a port or a pin."""

from collections.abc import Callable
from typing import Protocol

from drivers.readings import DeviceState, Reading

Post = Callable[[Reading], None]
"""Called from the device's own thread with each reading; must only enqueue."""


class Device(Protocol):
    """Everything with a port: it starts, posts readings from a thread of its own, and stops."""

    name: str

    @property
    def state(self) -> DeviceState:
        """Where the device stands now."""

    def start(self, post: Post) -> None:
        """Open and go on reopening with backoff until `stop`; never raises for a device that is not there."""

    def stop(self) -> None:
        """Close and end the thread, within 2 s."""


class Thermometer(Device, Protocol):
    """Posts `Temperature`. `near`: set before `start` by whoever knows from other devices whether somebody is before it at a time
    (monotonic ms): then its readings have to change, or it hangs. Called from the device's thread."""

    near: Callable[[int], bool]


class CodeScanner(Device, Protocol):
    """Posts `CodeRead`, once for a code that is held up."""


class CardReader(Device, Protocol):
    """Posts `CardRead`, once for a card that lies in the field."""


class Contact(Device, Protocol):
    """Posts `Level`, first the one at start."""


class PassageSensor(Device, Protocol):
    """Posts `Crossed`, once for each body that went through."""


class Output(Protocol):
    """A relay, lamp or sounder on a pin."""

    name: str

    def set(self, active: bool) -> None:
        """Switch it. Takes effect before it returns. Raises DeviceLost."""

    def close(self) -> None:
        """Return it to its safe level."""


class Speaker(Protocol):
    """The loudspeaker's process: priorities, pre-emption, looped tones. No call blocks."""

    @property
    def state(self) -> DeviceState:
        """Where the sound process stands now."""

    def play(self, wavs: tuple[str, ...], priority: int, percent: int = 100) -> None:
        """Play WAV files one after the other, `percent` as loud as they are; a higher `priority` number cuts a lower one short; an equal or lower one
        waits for its turn, and is dropped when it would wait over 4 s."""

    def drop(self, wavs: tuple[str, ...], priority: int) -> None:
        """Do not play these, asked for with that priority, if they still wait; what has begun goes on."""

    def loop(self, wav: str, priority: int, percent: int = 100) -> None:
        """Loop a tone until `stop_loop`; asked again, it goes on as loud as that."""

    def stop_loop(self, wav: str) -> None:
        """Stop a looped tone."""

    def close(self) -> None:
        """End the process."""
