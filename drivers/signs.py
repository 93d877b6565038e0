"""By what a model is recognised on a port or a bus: by its own frames, and by a question that changes nothing in any module.

Pure, and the protocols' own parsers. A module that waits to be asked is asked for one reading, its version or its state; the
greetings of the drivers, which set a module up, are not sent. Two questions choose how a module answers until its power goes,
and cannot be left out: GD60914 measures when asked only after A1 (hardware notes 1.5), and a module of 1.1, 1.2 or 1.4 that is
asked for one reading waits to be asked, which it did already, as it was silent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Protocol, TypeVar

from drivers.errors import BadFrame
from drivers.protocols.frames import Frame, FrameReader
from drivers.protocols.packets import Packet, PacketReader
from drivers.readings import Temperature

T = TypeVar("T")


class Confidence(IntEnum):
    """How sure it is that what speaks is of this model."""

    POSSIBLE = 1
    LIKELY = 2
    SURE = 3


class Ear(Protocol):
    """Hears one rate of one port."""

    @property
    def good(self) -> int:
        """The model's own messages."""

    @property
    def faults(self) -> int:
        """Its messages that say that its sensor is at fault."""

    def asked(self) -> None:
        """The model's question has been sent: what comes now may be its answer."""

    def hear(self, chunk: bytes) -> None:
        """These bytes came. Never raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A model on a serial port. `questions`: sent one after the other; none for one that speaks by itself alone; `answer_ms`:
    how long it may take to answer; `apart_ms`: from one frame to the next, when it streams as slowly as it can; `most`: how
    sure it can be; `shows`: what has to be held before it, or it says nothing; `first`: it is asked before others, as what
    they would be sent begins as a setting of its own does; `at`: the same at another address of a line; `note`: for people."""

    bauds: Sequence[int]
    ear: Callable[[], Ear]
    questions: Sequence[bytes] = ()
    answer_ms: int = 250
    apart_ms: int = 300
    most: Confidence = Confidence.SURE
    shows: str = ""
    first: bool = False
    at: "Callable[[int], Sign] | None" = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class I2cSign:
    """A model on an I²C bus. `link`: makes what reads it, with the time and its address; it only reads."""

    address: int
    link: Callable[[int, int], Any]


class Framed:
    """Frames of fixed length."""

    def __init__(self, frame: Frame[Any]) -> None:
        self._reader = FrameReader(frame)
        self.good = 0
        self.faults = 0

    def asked(self) -> None:
        """A frame is the same, asked for or not."""

    def hear(self, chunk: bytes) -> None:
        """See Ear.hear."""
        for message in self._reader.feed(chunk):
            told = isinstance(message, Temperature | str)
            self.good += told
            self.faults += not told


class Packeted:
    """Packets, of which those count that `is_own` says are the model's answer to its question."""

    def __init__(self, packet: Packet[T], is_own: Callable[[T], bool]) -> None:
        self._reader = PacketReader(packet)
        self._is_own = is_own
        self.good = 0
        self.faults = 0

    def asked(self) -> None:
        """What began before and has not ended is no packet."""
        self._reader.give_up()

    def hear(self, chunk: bytes) -> None:
        """See Ear.hear."""
        self.good += sum(map(self._is_own, self._reader.feed(chunk)))


class _Gd60914Ear:
    """Seven characters and nothing else, after a question."""

    def __init__(self) -> None:
        self._heard: bytes | None = None
        self._before = 0
        self.faults = 0

    @property
    def good(self) -> int:
        return self._before + self._is_answer()

    def asked(self) -> None:
        self._before += self._is_answer()
        self._heard = b""

    def hear(self, chunk: bytes) -> None:
        if self._heard is not None:
            self._heard = (self._heard + chunk)[:64]

    def _is_answer(self) -> bool:
        from drivers.protocols.gd60914 import MEASURES_C, decode

        try:
            return self._heard is not None and MEASURES_C[0] <= decode(self._heard) <= MEASURES_C[1]
        except BadFrame:
            return False


class _ModbusEar:
    """The answers of one address. `any_answer`: also a refusal, and one whose values are none, is an answer."""

    def __init__(self, address: int, *, any_answer: bool) -> None:
        from drivers.protocols.modbus import PYRO_USB, ModbusRound
        from drivers.tally import Count

        self._any_answer = any_answer
        self._round = ModbusRound(PYRO_USB, address)
        self._count = Count()
        self._ear = self._round.questions[0].listen()
        self.good = 0
        self.faults = 0

    def asked(self) -> None:
        self._ear = self._round.questions[0].listen()

    def hear(self, chunk: bytes) -> None:
        answer = self._ear.hear(chunk, self._count)
        if answer is None:
            return
        self.asked()
        plausible = isinstance(answer, bytes) and isinstance(self._round.reading([answer]), Temperature)
        self.good += self._any_answer or plausible


MODBUS_ADDRESS: Final = 1
"""As sensors are delivered."""


def gy_mcu90615() -> Sign:
    """Either rate, streaming or not: asked for one reading."""
    from drivers.protocols.gy_mcu90615 import Command, GyMcu90615Link, command

    link = GyMcu90615Link
    return Sign(bauds=link.bauds, ear=lambda: Framed(link.frame), questions=(command(Command.ONCE),))


def gy_mcu90614() -> Sign:
    """As gy-mcu90615: they speak alike."""
    from drivers.protocols.gy_mcu90615 import Command, GyMcu90614Link, command

    link = GyMcu90614Link
    return Sign(bauds=link.bauds, ear=lambda: Framed(link.frame), questions=(command(Command.ONCE),))


def cjmcu_90614() -> Sign:
    """Streaming or not: asked for one reading."""
    from drivers.protocols.cjmcu_90614 import Cjmcu90614Link, Command, command

    link = Cjmcu90614Link
    return Sign(bauds=link.bauds, ear=lambda: Framed(link.frame), questions=(command(Command.ONCE),))


def gy_614v() -> Sign:
    """Any rate, binary or text, streaming or not: its registers are read, in the form of its stream."""
    from drivers.protocols.gy_614v import READ_ALL, Gy614vLink

    link = Gy614vLink
    return Sign(bauds=link.bauds, ear=lambda: Framed(link.frame), questions=(READ_ALL,), apart_ms=1_100)


def gd60914() -> Sign:
    """Asked for a forehead. Its answer has no checksum."""
    from drivers.protocols.gd60914 import SINGLE, Asked, Gd60914Link

    return Sign(
        bauds=Gd60914Link.bauds,
        ear=_Gd60914Ear,
        questions=(SINGLE, bytes((Asked.FOREHEAD,))),
        answer_ms=800,
        most=Confidence.LIKELY,
    )


def gy_mcu90640() -> Sign:
    """Asked for one picture, which takes 134 ms to come."""
    from drivers.protocols.gy_mcu90640 import QUERY, GyMcu90640Link, command

    link = GyMcu90640Link
    return Sign(
        bauds=link.bauds,
        ear=lambda: Framed(link.frame),
        questions=(command(QUERY),),
        answer_ms=800,
        apart_ms=2_200,
        first=True,
    )


def _modbus(address: int, ear: Callable[[], Ear], most: Confidence, **more: Any) -> Sign:
    from drivers.protocols.modbus import PYRO_USB, ModbusRound

    question = ModbusRound(PYRO_USB, address).questions[0].sent
    return Sign(bauds=(9_600, 19_200, 38_400, 115_200), ear=ear, questions=(question,), most=most, **more)


def calex_pyrousb(address: int = MODBUS_ADDRESS) -> Sign:
    """Its registers are read, and have to hold what it can measure; so may another sensor's."""
    return _modbus(address, lambda: _ModbusEar(address, any_answer=False), Confidence.LIKELY, at=calex_pyrousb)


def modbus(address: int = MODBUS_ADDRESS) -> Sign:
    """Whatever answers at its address, be it with a refusal, speaks Modbus RTU."""
    return _modbus(
        address,
        lambda: _ModbusEar(address, any_answer=True),
        Confidence.SURE,
        at=modbus,
        note="any sensor that speaks Modbus RTU: its registers are in its manual",
    )


def rdm6300() -> Sign:
    """Says nothing without a card."""
    from drivers.protocols.rdm6300 import Rdm6300Link

    return Sign(bauds=Rdm6300Link.bauds, ear=lambda: Framed(Rdm6300Link.frame), shows="a card")


def id12() -> Sign:
    """Says nothing without a card."""
    from drivers.protocols.rdm6300 import Id12Link

    return Sign(bauds=Id12Link.bauds, ear=lambda: Framed(Id12Link.frame), shows="a card")


def gm65() -> Sign:
    """Asked for its rate."""
    from drivers.protocols.gm65 import MODULE_PACKET, Gm65Link, Reply, Zone, ask
    from drivers.protocols.gm65 import Command as Asks

    def is_rate(message: Reply | bytes | None) -> bool:
        return isinstance(message, Reply) and message.status == 0 and len(message.data) == 2

    return Sign(
        bauds=Gm65Link.bauds,
        ear=lambda: Packeted(MODULE_PACKET, is_rate),
        questions=(ask(Asks.READ, Zone.BAUD, b"\x02"),),
    )


def pn532() -> Sign:
    """Woken, and asked for its version."""
    from drivers.protocols.pn532 import CHIP, HOST, PACKET, WAKE, Body, Command, Pn532Link, encode

    def is_version(body: Body | None) -> bool:
        return body is not None and (body.sender, body.code, body.data[:1]) == (CHIP, Command.VERSION + 1, b"\x32")

    return Sign(
        bauds=Pn532Link.bauds,
        ear=lambda: Packeted(PACKET, is_version),
        questions=(WAKE + encode(HOST, Command.VERSION),),
    )


def identity_card() -> Sign:
    """Asked for its state; no card is looked for."""
    from drivers.protocols.identity_card import MODULE_PACKET, Answer, Command, IdentityCardLink, Status, ask

    def is_state(answer: Answer) -> bool:
        return answer.status == Status.DONE and not answer.data

    return Sign(
        bauds=IdentityCardLink.bauds,
        ear=lambda: Packeted(MODULE_PACKET, is_state),
        questions=(ask(Command.STATUS),),
    )


def mlx90614() -> I2cSign:
    """Two words of its memory are read, each with its checksum."""
    from drivers.protocols.mlx90614 import ADDRESS, Mlx90614Link

    return I2cSign(address=ADDRESS, link=Mlx90614Link)
