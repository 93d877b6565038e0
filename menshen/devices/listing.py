"""`menshen devices list`: what is connected, what to write into a gate's file for it, and who uses it there."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from drivers.connected import Kind, Row, System
from drivers.connected.buses import PARTS
from gateway.config import GateConfig
from menshen.devices.tables import print_table
from sync.printable import printable

CLAIMS: Final = {
    "port": Kind.SERIAL,
    "camera": Kind.CAMERA,
    "sound card": Kind.SOUND,
    "input device": Kind.INPUT,
    "pin": Kind.GPIO,
    "address": Kind.I2C,
}
"""By what a device claims (`Model.claims`): what kind of thing that is."""
BY_PATH: Final = (Kind.SERIAL, Kind.CAMERA, Kind.INPUT)
CHECKS: Final = """\
Nothing is connected that a gate could use. What to check:
  serial     the cable, then `dmesg | tail`; a module on the Pi's pins needs enable_uart=1 (Pi 5: dtparam=uart0=on)
             in /boot/firmware/config.txt
  camera     another USB port and cable: many cables only charge
  sound      `aplay -l`
  I²C        dtparam=i2c_arm=on in /boot/firmware/config.txt (or raspi-config), then a restart
  GPIO       is this a Raspberry Pi?
"""


@dataclass(frozen=True, slots=True)
class Used:
    """A device of a gate's file, and what it claims."""

    device: str
    kind: Kind
    what: str


def used_by(config: GateConfig) -> list[Used]:
    """What the devices of a gate claim, but for the simulated ones."""
    from drivers.catalogue import MODELS

    found = []
    for device in config.devices:
        for claim in MODELS[device.model].claims(device.settings):
            kind = next((kind for word, kind in CLAIMS.items() if claim.startswith(f"{word} ")), None)
            if kind is not None and not device.model.startswith("simulated-"):
                what = claim.removeprefix(next(word for word, each in CLAIMS.items() if each is kind)).strip()
                found.append(Used(device.name, kind, what))
    return found


def users(row: Row, used: Iterable[Used], system: System) -> list[str]:
    """Which devices use this."""
    return [_named(each) for each in used if each.kind is row.kind and _is_same(row, each.what, system)]


def _named(used: Used) -> str:
    if used.kind is Kind.GPIO:
        return f"{used.device} (pin {used.what})"
    return f"{used.device} ({used.what.partition(' ')[0]})" if used.kind is Kind.I2C else used.device


def _is_same(row: Row, what: str, system: System) -> bool:
    if row.kind is Kind.GPIO:
        return bool(row.value)  # a pin is the header's
    if row.kind is Kind.SOUND:
        return what in (row.value, *row.names)
    path = what.rpartition(" of ")[2] if row.kind is Kind.I2C else what
    return system.real(path) == system.real(row.value or next(iter(row.names), ""))


def missing(rows: Sequence[Row], used: Sequence[Used], system: System) -> list[Used]:
    """What a gate's file names, and is not connected: neither listed, nor there by a name of one's own (a link to a simulator's port)."""
    return [
        each
        for each in used
        if not any(each.kind is row.kind and _is_same(row, each.what, system) for row in rows)
        and not (each.kind in BY_PATH and system.is_there(each.what))
    ]


def show(rows: Sequence[Row], used: Sequence[Used] | None, system: System, *, as_json: bool) -> None:
    """Print them. `used`: None when no gate's file was given."""
    by: Mapping[Row, list[str]] = {row: users(row, used or (), system) for row in rows}
    gone = missing(rows, used or (), system)
    if as_json:
        told = [
            {**asdict(row), "used_by": by[row]} | ({"addresses": None} if row.addresses is None else {}) for row in rows
        ]
        lost = [{"device": each.device, "kind": each.kind, "value": each.what} for each in gone]
        click.echo(json.dumps({"connected": told, "missing": lost}, ensure_ascii=False, indent=1))
        return
    if not rows:
        click.echo(CHECKS, nl=False)
    elif (console := Console()).is_terminal:
        console.print(_for_a_terminal(rows, by, with_users=used is not None))
    else:
        print_table((), [_cells(row, by[row], with_users=used is not None) for row in rows])
    for each in gone:
        kind = "pin" if each.kind is Kind.GPIO else each.kind
        click.echo(f"not connected: {kind} {each.what}, which [devices.{each.device}] names", err=False)


def _for_a_terminal(rows: Sequence[Row], by: Mapping[Row, list[str]], *, with_users: bool) -> Table:
    """What is to be written on a line of its own, whole, so that it can be copied."""
    table = Table(box=None, padding=(0, 2, 1, 0), pad_edge=False)
    table.add_column("kind", no_wrap=True)
    table.add_column("what to write; what it seems to be", overflow="fold")
    for row in rows:
        _, value, seems, *users, note = map(printable, _cells(row, by[row], with_users=with_users))
        told = Text(value if row.value else "(nothing to write)", style="bold" if row.value else "dim")
        told.append(f"\n{seems}", style="not bold")
        for who in users:
            told.append(f"\nused by {who}" if who != "-" else "\nnobody uses it", style="not bold green")
        if note:
            told.append(f"\n{note}", style="not bold yellow")
        table.add_row(Text(row.kind), told)
    return table


def _cells(row: Row, by: Sequence[str], *, with_users: bool) -> list[str]:
    quoted = row.value if row.kind is Kind.GPIO else f'"{row.value}"'
    note = "; ".join(filter(None, (row.note, _answering(row.addresses))))
    users = (", ".join(by) or "-",) if with_users else ()
    return [row.kind, f"{row.key} = {quoted}" if row.value else "-", row.seems, *users, note]


def _answering(addresses: Sequence[int] | None) -> str:
    if addresses is None:
        return ""
    return (
        "answers: " + ", ".join(f"{each:#04x}" + (f" ({PARTS[each]})" if each in PARTS else "") for each in addresses)
        if addresses
        else "nobody answers"
    )
