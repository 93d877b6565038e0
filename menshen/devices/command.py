"""The five commands of `menshen devices`."""

from pathlib import Path

import click

from gateway.loading_or_exit import load_or_exit

FILE = click.Path(path_type=Path)


@click.group()
def devices() -> None:
    """Devices: what is connected, what it is, and what it says (docs/devices.md; the list: docs/hardware.md).

    \b
    menshen devices list --config gate.toml      what is connected, and who uses it
    menshen devices probe /dev/ttyUSB0           which model speaks there
    menshen devices watch NAME --config gate.toml    what a device says, and how it is
    menshen devices models                       what is supported, and how it is wired
    menshen devices simulate gy-mcu90615         one that is not there, on a port for any program
    """


@devices.command("list")
@click.option("--config", type=FILE, metavar="FILE", help="A gate's file: which of its devices uses what.")
@click.option("--scan", is_flag=True, help="Ask who answers on each I²C bus: reads a byte of every address.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--root", type=FILE, default=Path("/"), hidden=True, help="Another machine's /sys, /proc and /dev.")
def list_(config: Path | None, scan: bool, as_json: bool, root: Path) -> None:
    """What is connected: serial ports, cameras, sound cards, GPIO chips, I²C buses, scanners that type.

    Nothing is opened and nothing is sent, but with --scan. The second column is what a device's section takes."""
    from drivers.connected import Kind, System, look
    from drivers.connected import scan as ask
    from drivers.errors import DeviceLost
    from menshen.devices import listing

    system = System(root)
    used = None if config is None else listing.used_by(load_or_exit(config))
    rows = look(system)
    if scan:
        try:
            rows = [ask(row) if row.kind is Kind.I2C else row for row in rows]
        except DeviceLost as lost:
            raise click.ClickException(str(lost)) from lost
    listing.show(rows, used, system, as_json=as_json)


@devices.command()
@click.argument("port")
@click.option("--address", type=click.IntRange(1, 247), help="Of a Modbus sensor (else 1), or on an I²C bus.")
@click.option(
    "--hold",
    "held_s",
    type=click.FloatRange(0, 600),
    default=10.0,
    show_default=True,
    help="Seconds in which a card may be held before a reader that says nothing.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--hurry", type=click.FloatRange(0.05, 1), default=1.0, hidden=True)
def probe(port: str, address: int | None, held_s: float, as_json: bool, hurry: float) -> None:
    """Say which model speaks on PORT, a serial port or an I²C bus (/dev/i2c-1).

    It is listened to at every rate that a model may have, then asked for a reading, a version or a state. No module's settings are
    changed. Exit code 1: nothing was found, or the port cannot be opened."""
    from menshen.devices import probing

    probing.run(port, address=address, held_s=held_s, as_json=as_json, quick=hurry)


@devices.command()
@click.argument("name", required=False)
@click.option("--config", type=FILE, metavar="FILE", help="The gate's file that has NAME.")
@click.option("--model", help="Instead of NAME: which model it is …")
@click.option("--port", default="", help="… and on which port, bus or path.")
@click.option("--set", "more", multiple=True, metavar="KEY=VALUE", help="… and what else its settings need.")
@click.option("--raw", is_flag=True, help="The bytes, too: hexadecimal and text.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--seconds", type=click.FloatRange(0.1), help="End by itself after so long.")
def watch(
    name: str | None,
    config: Path | None,
    model: str | None,
    port: str,
    more: tuple[str, ...],
    raw: bool,
    as_json: bool,
    seconds: float | None,
) -> None:
    """Show what device NAME says: readings, state, time since its last valid frame, counters. Ctrl-C ends it.

    What an identity card says of a person stays in the driver, but for the fields that the device's settings allow."""
    from menshen.devices import watching

    if model is not None and name is None and config is None:
        pairs = dict(each.partition("=")[::2] for each in more)
        name, settings = model, watching.settings_of(model, port, pairs)
    elif name is not None and config is not None and model is None:
        found = {device.name: device for device in load_or_exit(config).devices}
        if name not in found:
            raise click.UsageError(f"{config} has no device {name!r}; it has {', '.join(found)}")
        model, settings = found[name].model, found[name].settings
    else:
        raise click.UsageError("give NAME and --config FILE, or --model MODEL and --port PORT")
    watching.refuse_what_cannot_be_watched(name, model, settings)
    watching.run(name, model, settings, raw=raw, as_json=as_json, seconds=seconds)


@devices.command()
@click.argument("wanted", default="")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, with the wiring whole.")
def models(wanted: str, as_json: bool) -> None:
    """The supported models: kind, unit and wiring in short; WANTED: a part of a name or kind. More: docs/hardware.md."""
    from menshen.devices import models as listing

    listing.show(wanted, as_json=as_json)


@devices.command()
@click.argument("model")
@click.option("--link", type=FILE, metavar="PATH", help="A name that stays, for a port that has another each time.")
@click.option("--room", type=click.FloatRange(-30, 60), default=24.0, show_default=True, help="The room, °C.")
@click.option("--warm-up", type=click.FloatRange(0, 600), default=0.0, help="Seconds in which it reads too low.")
@click.option("--baud", type=int, help="Its rate, where a model has several.")
@click.option("--waits", is_flag=True, help="It does not stream by itself.")
@click.option("--do", "said", multiple=True, metavar="WORDS", help='What happens at first, such as "approach 37.8".')
def simulate(
    model: str, link: Path | None, room: float, warm_up: float, baud: int | None, waits: bool, said: tuple[str, ...]
) -> None:
    """Simulate MODEL on a pty, with its real protocol and the physics around it, until Ctrl-C.

    Prints the port's path. Standard input takes what happens, a line each; `help` says what can. Models on I²C, GPIO or USB exist
    inside a gate's simulation only."""
    from drivers.simulators.setup import Setup
    from menshen.devices import simulating

    setup = Setup(room_c=room, warm_up_s=warm_up, baud=baud, waits=waits)
    simulating.run(model, setup, link=link, said=said)
