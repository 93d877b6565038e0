"""The models of code scanners and card readers: a part of the catalogue (`drivers.catalogue`), by the same rules."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from drivers import signs, wirings
from drivers.interfaces import CardReader, CodeScanner
from drivers.model import Kind, Model, claims_nothing, claims_port
from drivers.reader_settings import (
    Gm65Settings,
    HidScannerSettings,
    Id12Settings,
    IdentityCardSettings,
    Pn532Settings,
    SimulatedGm65Settings,
    SimulatedHidScannerSettings,
    SimulatedId12Settings,
    SimulatedIdentityCardSettings,
    SimulatedPn532Settings,
    SimulatedWiegandSettings,
    WiegandSettings,
)
from drivers.simulators.bench import Bench


def _gm65(name: str, settings: Gm65Settings, _bench: Bench) -> CodeScanner:
    """Code scanner module GM60, GM65, GM66, GM805 or GM861: posts CodeRead, once for a code that is held up.

    Unit: the bytes of a code. Source: hardware notes 2.1; Tasmota xsns_107_gm861; DFRobot DFR0660."""
    from drivers.protocols.gm65 import Gm65Link
    from drivers.serial_device import SerialDevice

    return SerialDevice(name, settings.port, Gm65Link)


def _simulated_gm65(name: str, _settings: SimulatedGm65Settings, _bench: Bench) -> CodeScanner:
    """The driver of gm65, with a model of the module at the far end of a pty; `simulator` is the latter.

    Unit: the bytes of a code. Source: as gm65."""
    from drivers.protocols.gm65 import Gm65Link
    from drivers.simulators.code_scanner import SimulatedGm65
    from drivers.simulators.serial_device import SimulatedSerialDevice

    return SimulatedSerialDevice(name, SimulatedGm65(name), Gm65Link)


def _hid_scanner(name: str, settings: HidScannerSettings, _bench: Bench) -> CodeScanner:
    """A code scanner that types as a keyboard does: posts CodeRead, once for a code that is held up.

    Unit: the bytes of a code, ASCII. Source: hardware notes 2.3; linux/input.h."""
    from drivers.hid_scanner import HidScanner

    return HidScanner(name, settings.path)


def _simulated_hid_scanner(name: str, _settings: SimulatedHidScannerSettings, _bench: Bench) -> CodeScanner:
    """The driver of hid-scanner, over a pipe with a keyboard's events; `simulator` is what people act on.

    Unit: the bytes of a code, ASCII. Source: as hid-scanner."""
    from drivers.simulators.hid_scanner import SimulatedHidScanner

    return SimulatedHidScanner(name)


def _id12(name: str, settings: Id12Settings, _bench: Bench) -> CardReader:
    """Card reader ID-12LA or ID-20LA for EM4100 cards of 125 kHz: posts CardRead, once for a card that lies there.

    Unit: a card's number, 10 hexadecimal digits. Source: hardware notes 3; ID-12LA datasheet."""
    from drivers.protocols.rdm6300 import Id12Link
    from drivers.serial_device import SerialDevice

    return SerialDevice(name, settings.port, Id12Link)


def _simulated_id12(name: str, _settings: SimulatedId12Settings, _bench: Bench) -> CardReader:
    """The driver of id-12, with a model of the reader at the far end of a pty; `simulator` is the latter.

    Unit: a card's number, 10 hexadecimal digits. Source: as id-12."""
    from drivers.protocols.rdm6300 import Id12Link
    from drivers.simulators.card_reader import SimulatedId12
    from drivers.simulators.serial_device import SimulatedSerialDevice

    return SimulatedSerialDevice(name, SimulatedId12(name), Id12Link)


def _pn532(name: str, settings: Pn532Settings, _bench: Bench) -> CardReader:
    """Card reader PN532 for cards of 13.56 MHz: posts CardRead, once for a card that lies there.

    Unit: a card's UID, 8, 14 or 20 hexadecimal digits. Source: hardware notes 3; NXP UM0701-02."""
    from drivers.protocols.pn532 import Pn532Link
    from drivers.serial_device import SerialDevice

    return SerialDevice(name, settings.port, Pn532Link)


def _simulated_pn532(name: str, _settings: SimulatedPn532Settings, _bench: Bench) -> CardReader:
    """The driver of pn532, with a model of the chip at the far end of a pty; `simulator` is the latter.

    Unit: a card's UID, 8, 14 or 20 hexadecimal digits. Source: as pn532."""
    from drivers.protocols.pn532 import Pn532Link
    from drivers.simulators.pn532 import SimulatedPn532
    from drivers.simulators.serial_device import SimulatedSerialDevice

    return SimulatedSerialDevice(name, SimulatedPn532(name), Pn532Link)


def _wiegand(name: str, settings: WiegandSettings, _bench: Bench) -> CardReader:
    """A card reader with a Wiegand output of 26 or 34 bits: posts CardRead, once for a card that lies there.

    Unit: a card's number, 8 hexadecimal digits. Source: hardware notes 3; SIA AC-01-1996.10."""
    from drivers.wiegand import WiegandReader

    return WiegandReader(name, settings)


def _simulated_wiegand(name: str, settings: SimulatedWiegandSettings, bench: Bench) -> CardReader:
    """The driver of wiegand, on two simulated pins; `simulator` is the reader at their far end.

    Unit: a card's number, 8 hexadecimal digits. Source: as wiegand."""
    from drivers.simulators.wiegand import SimulatedWiegandReader

    return SimulatedWiegandReader(name, settings.wiring, bench.pins)


def _identity_card(name: str, settings: IdentityCardSettings, _bench: Bench) -> CardReader:
    """A reader of the PRC's resident identity card: posts CardRead, once for a card, with the fields that its settings allow.

    Unit: 20 hexadecimal digits that stand for the card's number. Source: hardware notes 3; GA 450-2013."""
    from drivers.protocols.identity_card import IdentityCardLink
    from drivers.serial_device import SerialDevice

    return SerialDevice(name, settings.port, partial(IdentityCardLink, wanted=settings.wanted))


def _simulated_identity_card(name: str, settings: SimulatedIdentityCardSettings, _bench: Bench) -> CardReader:
    """The driver of identity-card, with a model of the module at the far end of a pty; `simulator` is the latter.

    Unit: 20 hexadecimal digits that stand for the card's number. Source: as identity-card."""
    from drivers.protocols.identity_card import IdentityCardLink
    from drivers.simulators.identity_card import SimulatedIdentityCard
    from drivers.simulators.serial_device import SimulatedSerialDevice

    link = partial(IdentityCardLink, wanted=settings.wanted)
    return SimulatedSerialDevice(name, SimulatedIdentityCard(name), link)


def _input_device(settings: HidScannerSettings) -> tuple[str, ...]:
    return (f"input device {settings.path}",)


def _lines(settings: WiegandSettings | SimulatedWiegandSettings) -> tuple[str, ...]:
    return (f"pin {settings.d0}", f"pin {settings.d1}")


_SCANNER, _READER = Kind.CODE_SCANNER, Kind.CARD_READER

READER_MODELS: Final[Mapping[str, Model]] = {
    "gm65": Model(_SCANNER, Gm65Settings, claims_port, _gm65, wirings.GM65, signs.gm65),
    "simulated-gm65": Model(_SCANNER, SimulatedGm65Settings, claims_nothing, _simulated_gm65),
    "hid-scanner": Model(_SCANNER, HidScannerSettings, _input_device, _hid_scanner, wirings.HID_SCANNER),
    "simulated-hid-scanner": Model(_SCANNER, SimulatedHidScannerSettings, claims_nothing, _simulated_hid_scanner),
    "id-12": Model(_READER, Id12Settings, claims_port, _id12, wirings.ID12, signs.id12),
    "simulated-id-12": Model(_READER, SimulatedId12Settings, claims_nothing, _simulated_id12),
    "pn532": Model(_READER, Pn532Settings, claims_port, _pn532, wirings.PN532, signs.pn532),
    "simulated-pn532": Model(_READER, SimulatedPn532Settings, claims_nothing, _simulated_pn532),
    "wiegand": Model(_READER, WiegandSettings, _lines, _wiegand, wirings.WIEGAND),
    "simulated-wiegand": Model(_READER, SimulatedWiegandSettings, _lines, _simulated_wiegand),
    "identity-card": Model(
        _READER, IdentityCardSettings, claims_port, _identity_card, wirings.IDENTITY_CARD, signs.identity_card
    ),
    "simulated-identity-card": Model(_READER, SimulatedIdentityCardSettings, claims_nothing, _simulated_identity_card),
}
"""Model names, as in a gate's configuration."""
