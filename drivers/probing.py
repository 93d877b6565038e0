"""Which model speaks on a port or a bus: listened to first, then asked, at each rate that a model may have.

What is sent changes no module's settings (`drivers.signs`). A device that is asked does not hear what was not meant for it: every
question has a start and a checksum of its own.
"""

import termios
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import serial

from drivers.catalogue import MODELS
from drivers.errors import DeviceLost
from drivers.i2c_device import POWER_S, Bus, SystemBus
from drivers.i2c_device import in_words as bus_in_words
from drivers.readings import DeviceState
from drivers.serial_device import CHUNK, in_words
from drivers.signs import Confidence, Ear, I2cSign, Sign
from drivers.threaded import monotonic_ms

ENOUGH: Final = 3  # messages of a model: more make it no surer
ASKED_AGAIN: Final = 3
FIRST_BAUDS: Final = (9_600, 115_200)
READ_S: Final = 0.02
GAP_S: Final = 0.05  # between two questions of one model
I2C_READS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """`hurry`: how much of the longest time between two frames is waited for, before a port counts as silent; `held_s`: how
    long one that says nothing is listened to for a card that is held before it."""

    hurry: float = 1.0
    held_s: float = 10.0


PATIENCE: Final = Patience()


@dataclass(frozen=True, slots=True)
class Found:
    """A model that may be there. `baud`: 0 on a bus; `good`: its own messages; `why`: what makes it less than sure."""

    model: str
    confidence: Confidence
    baud: int
    good: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of it. `found`: the surest first, all of one rate; `noise`: bytes by rate that were no model's; `shown`: what
    was waited for at last."""

    found: tuple[Found, ...]
    noise: Mapping[int, int] = field(default_factory=dict)
    shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What is being done. `doing`: "listening", "asking" or "waiting"; `what`: whom it asks, or what it waits for."""

    number: int
    steps: int
    baud: int
    doing: str
    what: str = ""


Tell = Callable[[Step], None]


def declared(address: int | None = None) -> tuple[dict[str, Sign], dict[str, I2cSign]]:
    """The signs of the catalogue, on ports and on buses; those on a line that has addresses at this one."""
    serial_signs, bus_signs = {}, {}
    for name, model in MODELS.items():
        sign = model.sign() if model.sign is not None else None
        if isinstance(sign, I2cSign):
            bus_signs[name] = sign
        elif sign is not None:
            serial_signs[name] = sign.at(address) if sign.at is not None and address is not None else sign
    return serial_signs, bus_signs


def silent(step: Step) -> None:
    """Nobody wants to know."""


class SerialProbe:
    """Probes one port that it has for itself. Raises DeviceLost when the port cannot be opened, or goes away."""

    def __init__(
        self, port: str, signs: Mapping[str, Sign], *, tell: Tell = silent, patience: Patience = PATIENCE
    ) -> None:
        self._path = port
        self._signs = signs
        self._tell = tell
        self._patience = patience
        self._noise: dict[int, int] = {}
        every = {baud for sign in signs.values() for baud in sign.bauds}
        self._bauds = [*(baud for baud in FIRST_BAUDS if baud in every), *sorted(every.difference(FIRST_BAUDS))]
        self._number = 0

    def run(self) -> Probed:
        """Every rate; then those once more at which something came that was no frame; then a card may be held before it."""
        try:
            with serial.Serial(self._path, self._bauds[0], timeout=READ_S, write_timeout=0.5, exclusive=True) as port:
                return self._run(port)
        except (OSError, termios.error) as error:
            raise DeviceLost(f"{self._path}: {in_words(error)}") from error

    def _run(self, port: serial.Serial) -> Probed:
        for baud in self._bauds:
            if found := self._at(port, baud, ask_all=False):
                return Probed(found)
        for baud in [baud for baud in self._bauds if self._noise[baud]]:
            if found := self._at(port, baud, ask_all=True):
                return Probed(found)
        return self._held(port)

    def _at(self, port: serial.Serial, baud: int, *, ask_all: bool) -> tuple[Found, ...]:
        """What is found at this rate. A port that says what is no frame at this rate most likely has another: nobody is asked
        there at first."""
        round_ = _Round(port, baud, {name: sign for name, sign in self._signs.items() if baud in sign.bauds})
        self._number += 1
        self._step(baud, "listening")
        longest_ms = max(sign.apart_ms for sign in round_.signs.values())
        round_.listen(longest_ms * self._patience.hurry, until=round_.spoke)
        if not round_.spoke() and (ask_all or not round_.bytes):
            for names in round_.questions():
                self._step(baud, "asking", ", ".join(names))
                round_.ask(names)
                if round_.spoke():
                    break
        if not round_.spoke():
            self._noise[baud] = max(self._noise.get(baud, 0), round_.bytes)
            return ()
        round_.confirm()
        return round_.found()

    def _held(self, port: serial.Serial) -> Probed:
        """Nothing speaks by itself or when asked: there are models that want to be shown something first."""
        waiting = {name: sign for name, sign in self._signs.items() if sign.shows}
        what = tuple(dict.fromkeys(sign.shows for sign in waiting.values()))
        found: tuple[Found, ...] = ()
        for baud in {baud: None for sign in waiting.values() for baud in sign.bauds}:
            if self._patience.held_s > 0:
                round_ = _Round(port, baud, {name: sign for name, sign in waiting.items() if baud in sign.bauds})
                self._step(baud, "waiting", " or ".join(what))
                round_.listen(self._patience.held_s * 1000, until=round_.spoke)
                if round_.spoke():
                    round_.confirm()
                    return Probed(round_.found())
        return Probed(found, self._noise, what)

    def _step(self, baud: int, doing: str, what: str = "") -> None:
        self._tell(Step(min(self._number, 2 * len(self._bauds)), 2 * len(self._bauds), baud, doing, what))


class _Round:
    """One rate, and an ear for each model that may have it."""

    def __init__(self, port: serial.Serial, baud: int, signs: Mapping[str, Sign]) -> None:
        port.baudrate = baud
        port.reset_input_buffer()
        self._port = port
        self._baud = baud
        self.signs = signs
        self._ears: dict[str, Ear] = {name: sign.ear() for name, sign in signs.items()}
        self._asked: tuple[str, ...] = ()
        self.bytes = 0

    def spoke(self) -> bool:
        """A model was heard."""
        return any(ear.good or ear.faults for ear in self._ears.values())

    def listen(self, limit_ms: float, *, until: Callable[[], bool]) -> None:
        """Until then, or so long."""
        end_s = time.monotonic() + limit_ms / 1000
        while not until() and time.monotonic() < end_s:
            chunk = self._port.read(1)
            chunk += self._port.read(min(self._port.in_waiting, CHUNK)) if chunk else b""
            self.bytes += len(chunk)
            for ear in self._ears.values() if chunk else ():
                ear.hear(chunk)

    def questions(self) -> list[tuple[str, ...]]:
        """The models that have a question, those with the same one together, the quickest first."""
        together: dict[tuple[bytes, ...], list[str]] = {}
        for name, sign in self.signs.items():
            if sign.questions:
                together.setdefault(tuple(sign.questions), []).append(name)
        signs = self.signs
        return sorted(
            map(tuple, together.values()), key=lambda names: (not signs[names[0]].first, signs[names[0]].answer_ms)
        )

    def ask(self, names: tuple[str, ...]) -> None:
        """Send their question, and listen for the answer."""
        self._asked = names
        sign = self.signs[names[0]]
        for number, question in enumerate(sign.questions):
            if number:
                self.listen(GAP_S * 1000, until=lambda: False)
            self._port.write(question)
        for name in names:
            self._ears[name].asked()
        before = self._heard()
        self.listen(sign.answer_ms, until=lambda: self._heard() > before)

    def confirm(self) -> None:
        """Hear or ask some more, until it is as sure as it can be."""
        spoken = [sign.apart_ms for name, sign in self.signs.items() if self._ears[name].good]
        for _ in range(ASKED_AGAIN):
            if self._asked:
                self.ask(self._asked)
            elif spoken:
                self.listen(max(spoken), until=self._is_enough)
            if self._is_enough():
                return

    def found(self) -> tuple[Found, ...]:
        """Who was heard, the surest first."""
        heard = {name: ear for name, ear in self._ears.items() if ear.good}
        if not heard:  # it speaks, and its sensor is at fault
            return tuple(
                Found(name, Confidence.LIKELY, self._baud, ear.faults, "it says that its sensor is at fault")
                for name, ear in self._ears.items()
                if ear.faults
            )
        best = max(ear.good for ear in heard.values())
        serious = {name: ear.good for name, ear in heard.items() if 2 * ear.good >= best}
        found = [self._judge(name, good, serious) for name, good in serious.items()]
        return tuple(sorted(found, key=lambda each: -each.confidence))

    def _judge(self, name: str, good: int, heard: Iterable[str]) -> Found:
        sign = self.signs[name]
        alike = [other for other in heard if other != name and self.signs[other].questions == sign.questions]
        surer = [other for other in alike if self.signs[other].most > sign.most]
        twins = [other for other in alike if self.signs[other].most == sign.most]
        if twins:
            why = f"{', '.join(twins)} says the same: what is printed on the part decides"
            return Found(name, min(sign.most, Confidence.LIKELY), self._baud, good, why)
        confidence = sign.most if good > 1 else min(sign.most, Confidence(max(1, sign.most - 1)))
        why = "its values are where this model has them; another sensor's may be" if surer else ""
        if not why and confidence is not Confidence.SURE:
            why = "its answers have no checksum" if good > 1 else "it was heard only once"
        return Found(name, confidence, self._baud, good, why or sign.note)

    def _heard(self) -> int:
        return sum(ear.good + ear.faults for ear in self._ears.values())

    def _is_enough(self) -> bool:
        return max(ear.good for ear in self._ears.values()) >= ENOUGH


def probe_bus(
    bus: str,
    signs: Mapping[str, I2cSign],
    *,
    addresses: Sequence[int] = (),
    tell: Tell = silent,
    open_bus: Callable[[str], Bus] = SystemBus,
) -> Probed:
    """Read each model where it is delivered, or at these addresses. Raises DeviceLost when the bus cannot be opened."""
    try:
        opened = open_bus(bus)
    except OSError as error:
        raise DeviceLost(f"{bus}: {bus_in_words(error)}") from error
    try:
        tries = [(name, sign, at) for name, sign in signs.items() for at in addresses or (sign.address,)]
        found = []
        for number, (name, sign, address) in enumerate(tries, 1):
            tell(Step(number, len(tries), 0, "asking", f"{name} at {address:#04x}"))
            found += _read(opened, name, sign, address)
        return Probed(tuple(found))
    finally:
        opened.close()


def _read(bus: Bus, name: str, sign: I2cSign, address: int) -> list[Found]:
    """Whether this model is at this address. An error is no answer."""
    link: Any = sign.link(monotonic_ms(), address)
    for _ in range(I2C_READS):
        try:
            answers = [bus.transfer(address, sent, length) for sent, length in link.reads]
        except OSError:
            time.sleep(POWER_S / I2C_READS)  # it may have been powered just now
            continue
        link.take(answers, monotonic_ms())
    good = link.count.good
    if not good:
        return []
    state, detail = link.health(monotonic_ms())
    confidence = Confidence.SURE if good > 1 else Confidence.LIKELY
    return [Found(name, confidence, 0, good, detail if state is DeviceState.STALE else "")]
