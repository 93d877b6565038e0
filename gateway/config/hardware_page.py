"""`docs/hardware.md`, made of the catalogue's declarations. `make docs` writes it anew."""

from collections.abc import Iterator

from drivers.catalogue import MODELS, Kind, Model
from drivers.protocols.stillness import HOUR_MS, Still
from drivers.signs import I2cSign
from drivers.wiring import Wiring

_HEAD = """\
# Supported hardware, and how it is wired

Made from the declarations in the code (`make docs`); a test holds it against them. The same list: `menshen devices models`. Every
key of each model: [configuration.md](configuration.md). What is connected, and which model speaks there: [devices.md](devices.md).
One model more: [adding-a-device.md](adding-a-device.md). The sources are named at each model; "general knowledge" and "see the
part" mean that no source was found, and **none of it has been tried on hardware by this project yet**: see what is printed on the
part before you power it.

"""
_UART = """
## A serial module: on the Pi's pins, or on a USB adapter

**A USB adapter is the better choice**: it has a name that stays, its lines can be set to 3.3 V, and there may be several. Write the
name under `/dev/serial/by-id/`, which `menshen devices list` shows; two adapters without serial numbers (CH340) share it, and are
told apart by `/dev/serial/by-path/`. `/dev/ttyUSB0` may be another one after a restart.

**A pin of the Pi bears 3.3 V and not more.** A module that is fed with 5 V mostly says 5 V on its TX: between that and RXD belongs a
divider (1 kΩ from TX to RXD, 2 kΩ from RXD to GND) or a level shifter. The Pi's own 3.3 V on TXD is enough for any module here.
Ground is always joined.

| Pi | Pins | Port | What to set in `/boot/firmware/config.txt` |
| --- | --- | --- | --- |
| 3, 4, Zero 2 | GPIO 14 (TXD, pin 8), 15 (RXD, pin 10) | `/dev/serial0` → `ttyAMA0` | `enable_uart=1` and `dtoverlay=disable-bt`: without the latter it is the mini UART, whose rate follows the core's |
| 5 | the same | `/dev/ttyAMA0` | `dtparam=uart0=on`; `/dev/serial0` may be the debug connector (`ttyAMA10`) |

The system's console must be off the port: take `console=serial0,115200` out of `/boot/firmware/cmdline.txt` (or raspi-config, Serial
Port: no login shell, hardware on). The gate's user has to be in the group `dialout` (for others: `i2c`, `gpio`, `video`, `audio`,
`input`). Source: hardware notes 4; raspberrypi/documentation#3294; the divider and the Pi 5's parameter are general knowledge.
"""
_ORDER = (
    Kind.THERMOMETER,
    Kind.CODE_SCANNER,
    Kind.CARD_READER,
    Kind.CONTACT,
    Kind.PASSAGE_SENSOR,
    Kind.OUTPUT,
    Kind.SPEAKER,
)
_TITLES = {
    Kind.THERMOMETER: "Thermometers",
    Kind.CODE_SCANNER: "Code scanners",
    Kind.CARD_READER: "Card readers",
    Kind.CONTACT: "Contacts, buttons and sensors",
    Kind.PASSAGE_SENSOR: "Sensors of the way",
    Kind.OUTPUT: "Relays, lamps and sirens",
    Kind.SPEAKER: "Loudspeakers",
}


def hardware_markdown() -> str:
    """The whole page."""
    parts = [_HEAD, _table(), _UART]
    for kind in _ORDER:
        parts.append(f"\n## {_TITLES[kind]}\n")
        parts += [_model(name, model, model.wiring) for name, model in _real() if model.kind is kind and model.wiring]
    return "".join(parts)


def example(name: str) -> str:
    """A device's section for a gate's file, of this model."""
    wiring = MODELS[name].wiring
    if wiring is None:
        raise ValueError(f"{name} has no wiring")
    lines = "".join(f"{key} = {value}\n" for key, value in wiring.example.items())
    return f'[devices.{wiring.use}]\nmodel = "{name}"\nuse = "{wiring.use}"\n{lines}'


def _real() -> Iterator[tuple[str, Model]]:
    return ((name, model) for name, model in MODELS.items() if model.wiring is not None)


def _table() -> str:
    rows = "".join(
        f"| [`{name}`](#{_anchor(name)}) | {model.kind} | {model.unit} | {model.wiring.summary} | {_found(model)} |\n"
        for name, model in _real()
        if model.wiring
    )
    return f"| Model | Kind | Unit | Wiring | `devices probe` finds it |\n| --- | --- | --- | --- | --- |\n{rows}"


def _anchor(name: str) -> str:
    return name.lower()


def _found(model: Model) -> str:
    sign = model.sign() if model.sign is not None else None
    if sign is None:
        return "no: see `devices list`"
    if isinstance(sign, I2cSign):
        return f"at {sign.address:#04x}"
    rates = "/".join(map(str, sign.bauds)) if len(sign.bauds) < 3 else f"at {len(sign.bauds)} rates"
    return f"{rates}{f', with {sign.shows} held before it' if sign.shows else ''}"


def _still(still: Still) -> str:
    """When a thermometer that repeats one good frame is told as stale."""
    warm = "" if still.warm == still.near else f" ({still.warm}, where it is as warm as skin)"
    return (
        f"the very same reading {still.near} times with somebody before it{warm}, or for {still.alone_ms // HOUR_MS} h, is "
        "told as stale, `frozen`; nobody is measured by it"
    )


def _model(name: str, model: Model, wiring: Wiring) -> str:
    joins = "".join(f"| {pin} | {where} |\n" for pin, where in wiring.joins.items())
    table = f"| On the device | Goes to |\n| --- | --- |\n{joins}\n" if joins else ""
    notes = "".join(f"- {note}\n" for note in wiring.notes)
    still = f"- A sensor that hangs: {_still(model.still)}.\n" if model.still is not None else ""
    return (
        f"\n### {name}\n\n{model.meaning} Unit: {model.unit}.\n\n"
        f"{table}- Power: {wiring.power}.\n- Level: {wiring.level}.\n{notes}{still}\n```toml\n{example(name)}```\n\n"
        f"Source: {model.source}; wiring: {wiring.source}.\n"
    )
