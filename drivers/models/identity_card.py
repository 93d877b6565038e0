"""Readers of the PRC's resident identity card."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

from drivers.model import Kind
from drivers.on_port import on_port
from drivers.protocols.identity_card import Field, Wanted
from drivers.settings import PORT
from drivers.signs import Packeted, Sign
from drivers.wiring import BY_ID, Wiring

if TYPE_CHECKING:
    from drivers.serial_device import Link
    from drivers.simulators.line import SerialLine
    from drivers.simulators.setup import Setup


KEY = Meta(
    description="A text of this site's own, kept secret: a card's id is a hash of its number under it, and the same at all gates that share it",
    min_length=16,
    max_length=200,
)
FIELDS = Meta(description="What of a card may leave the driver; without any, its id alone", max_length=9)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityCardSettings:
    """A reader of the PRC's resident identity card, with the ministry's SAM module, on a serial port; 115200 baud. What it
    reads of a person stays in the driver, but for the fields named here."""

    port: Annotated[str, PORT]
    key: Annotated[str, KEY]
    fields: Annotated[tuple[Field, ...], FIELDS] = ()

    @property
    def wanted(self) -> Wanted:
        """As the protocol takes it."""
        return Wanted(self.key, self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedIdentityCardSettings:
    """A reader of identity cards that is a model of one."""

    key: Annotated[str, KEY]
    fields: Annotated[tuple[Field, ...], FIELDS] = ()

    @property
    def wanted(self) -> Wanted:
        """As the protocol takes it."""
        return Wanted(self.key, self.fields)


def _link(settings: IdentityCardSettings | SimulatedIdentityCardSettings) -> "Callable[[int], Link]":
    from drivers.protocols.identity_card import IdentityCardLink

    return partial(IdentityCardLink, wanted=settings.wanted)


def _simulator(name: str, setup: "Setup") -> "SerialLine":
    from drivers.simulators.identity_card import SimulatedIdentityCard

    return SimulatedIdentityCard(name, **setup.chosen(rate=False, stream=False))


def _takes(number: str) -> None:
    from drivers.protocols.identity_card import number_of

    number_of(number)


def _sign() -> Sign:
    """Asked for its state; no card is looked for."""
    from drivers.protocols.identity_card import MODULE_PACKET, Answer, Command, IdentityCardLink, Status, ask

    def is_state(answer: Answer) -> bool:
        return answer.status == Status.DONE and not answer.data

    return Sign(
        bauds=IdentityCardLink.bauds,
        ear=lambda: Packeted(MODULE_PACKET, is_state),
        questions=(ask(Command.STATUS),),
    )


IDENTITY_CARD: Final = on_port(
    name="identity-card",
    kind=Kind.CARD_READER,
    what="A reader of the PRC's resident identity card: posts CardRead, once for a card, with the fields that its settings allow",
    unit="20 hexadecimal digits that stand for the card's number",
    source="hardware notes 3; GA 450-2013",
    settings=IdentityCardSettings,
    twin_settings=SimulatedIdentityCardSettings,
    link=_link,
    simulator=_simulator,
    twin_takes=_takes,
    sign=_sign,
    wiring=Wiring(
        summary="USB or RS-232 through an adapter; never straight to a pin",
        joins={"USB, or RS-232": "any USB port, or a USB-to-RS-232 adapter"},
        power="from USB, or as its manual says",
        level="RS-232 carries up to 15 V: only through an adapter",
        example={"port": BY_ID, "key": '"a secret of this site, 16 letters or more"'},
        use="entry-reader",
        notes=(
            "Readers that are no serial port (USB HID) are not supported.",
            "What it reads of a person stays in the driver, but for the `fields` that its settings name.",
        ),
        source="hardware notes 3; GA 450-2013; the connectors are general knowledge",
    ),
)
