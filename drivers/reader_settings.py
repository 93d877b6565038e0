"""What each code scanner and card reader can be told, with unit, range and meaning beside it once."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from drivers.protocols.identity_card import Field, Wanted
from drivers.settings import PIN, PORT

KEY = Meta(
    description="A text of this site's own, kept secret: a card's id is a hash of its number under it, and the same at all gates that share it",
    min_length=16,
    max_length=200,
)
FIELDS = Meta(description="What of a card may leave the driver; without any, its id alone", max_length=9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gm65Settings:
    """A code scanner module GM60, GM65, GM66, GM805 or GM861 on a serial port. Reads QR and bar codes; its rate is found out,
    and it is set up at start: set-up codes closed, each code framed."""

    port: Annotated[str, PORT]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedGm65Settings:
    """A code scanner module that is a model of one: it reads what is held up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HidScannerSettings:
    """A code scanner that types as a USB keyboard does, with a US layout and Enter behind each code. It is grabbed, so that
    no code is typed into a console. Codes of letters outside ASCII cannot be read with it: set it to a serial port where it
    can be."""

    path: Annotated[
        str,
        Meta(
            description="Its input device, best by a name that stays: /dev/input/by-id/…-event-kbd",
            pattern=r"^/dev/input/[^\x00]+$",
            max_length=255,
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedHidScannerSettings:
    """A code scanner that types, as a model of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Id12Settings:
    """A card reader ID-12LA or ID-20LA for EM4100 cards (125 kHz) on a serial port. Reads the card's number; 9600 baud."""

    port: Annotated[str, PORT]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedId12Settings:
    """A card reader ID-12LA that is a model of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pn532Settings:
    """A card reader PN532 for cards of 13.56 MHz (ISO 14443 A) on a serial port, its switches set to HSU. Reads the card's
    UID, which can be copied; 115200 baud."""

    port: Annotated[str, PORT]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedPn532Settings:
    """A card reader PN532 that is a model of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WiegandSettings:
    """A card reader with a Wiegand output of 26 or 34 bits, on two pins. Its lines carry 5 V: a divider or level shifter
    brings them to 3.3 V."""

    d0: Annotated[int, PIN]
    d1: Annotated[int, PIN]
    reverse: Annotated[bool, Meta(description="Its bytes come the other way round than is printed on the cards")] = (
        False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedWiegandSettings:
    """A card reader with a Wiegand output, on two simulated pins."""

    d0: Annotated[int, PIN]
    d1: Annotated[int, PIN]

    @property
    def wiring(self) -> WiegandSettings:
        """As the real driver takes it."""
        return WiegandSettings(d0=self.d0, d1=self.d1)


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
