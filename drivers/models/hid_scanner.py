"""Code scanners that type as a keyboard does."""

from dataclasses import dataclass
from typing import Annotated, Final

from msgspec import Meta

from drivers.interfaces import CodeScanner
from drivers.model import Kind, Model, Twin
from drivers.settings import NoSettings
from drivers.simulators.bench import Bench
from drivers.wiring import Level, Wiring


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


def _build(name: str, settings: HidScannerSettings, _bench: Bench) -> CodeScanner:
    from drivers.hid_scanner import HidScanner

    return HidScanner(name, settings.path)


def _build_twin(name: str, _settings: NoSettings, _bench: Bench) -> CodeScanner:
    from drivers.simulators.hid_scanner import SimulatedHidScanner

    return SimulatedHidScanner(name)


def _takes(content: str) -> None:
    from drivers.held_up import as_code

    as_code(content)


def _claims(settings: HidScannerSettings) -> tuple[str, ...]:
    return (f"input device {settings.path}",)


HID_SCANNER: Final = Model(
    name="hid-scanner",
    kind=Kind.CODE_SCANNER,
    what="A code scanner that types as a keyboard does: posts CodeRead, once for a code that is held up",
    unit="the bytes of a code, ASCII",
    source="hardware notes 2.3; linux/input.h",
    settings=HidScannerSettings,
    build=_build,
    claims=_claims,
    wiring=Wiring(
        summary="USB",
        joins={"USB": "any USB port"},
        power="from USB",
        level=Level.USB,
        example={"path": '"/dev/input/by-id/usb-Newland_HR20-event-kbd"'},
        use="entry-camera",
        notes=(
            "The gate's user must be in the group input.",
            "Set it to a US layout and to Enter behind each code; better, where it can: to a serial port (USB COM).",
        ),
        source="hardware notes 2.3; linux/input.h",
    ),
    twin=Twin(
        settings=NoSettings, build=_build_twin, about="A code scanner that types, as a model of one.", takes=_takes
    ),
)
