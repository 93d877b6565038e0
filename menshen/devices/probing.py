"""`menshen devices probe`: which model speaks on a port or a bus."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from drivers.errors import DeviceLost
from drivers.holding import holder
from drivers.probing import Found, Patience, Probed, SerialProbe, Step, declared, probe_bus
from drivers.serial_device import TAKEN
from drivers.signs import Confidence
from menshen.devices.tables import print_table
from sync.printable import printable

SURENESS: Final = {Confidence.SURE: "sure", Confidence.LIKELY: "likely", Confidence.POSSIBLE: "possible"}


def is_bus(port: str) -> bool:
    """Whether it is an I²C bus's name."""
    return Path(port).name.startswith("i2c-")


def run(port: str, *, address: int | None, held_s: float, as_json: bool, quick: float) -> None:
    """Probe and print. Raises click.ClickException: 1 when nothing was found or the port cannot be had."""
    serial_signs, bus_signs = declared(address)
    console = Console(stderr=True)
    try:
        with console.status("…") as status:
            tell = _telling(console, status.update)
            if is_bus(port):
                probed = probe_bus(port, bus_signs, addresses=() if address is None else (address,), tell=tell)
            else:
                patience = Patience(hurry=quick, held_s=held_s)
                probed = SerialProbe(port, serial_signs, tell=tell, patience=patience).run()
    except DeviceLost as lost:
        raise click.ClickException(f"{lost}{_holding(port) if TAKEN in str(lost) else ''}") from lost
    if as_json:
        click.echo(json.dumps({"port": port, "found": [_plain(found) for found in probed.found]}, ensure_ascii=False))
    elif probed.found:
        print_table(
            ("model", "how sure", "baud", "messages", "why not surer, or what to know"),
            [
                (each.model, SURENESS[each.confidence], str(each.baud or "-"), str(each.good), each.why)
                for each in probed.found
            ],
        )
    if not probed.found:
        raise click.ClickException(_nothing(port, probed))


def _plain(found: Found) -> dict[str, object]:
    return {
        "model": found.model,
        "confidence": SURENESS[found.confidence],
        "baud": found.baud or None,
        "messages": found.good,
        "why": found.why,
    }


def _telling(console: Console, update: Callable[[str], None]) -> Callable[[Step], None]:
    """A line that changes on a terminal, lines else."""

    def tell(step: Step) -> None:
        rate = f"{step.baud} baud: " if step.baud else ""
        said = {"listening": "listening", "asking": f"asking {step.what}", "waiting": f"hold {step.what} before it now"}
        text = f"{rate}{said[step.doing]}"
        update(text)
        if not console.is_terminal and (step.doing == "waiting" or not step.baud):
            click.echo(text, err=True)

    return tell


def _holding(port: str) -> str:
    who = holder(port)
    if who is None:
        return ""
    if who.is_gate:
        return (
            f"\nThe gate that runs here has it (process {who.pid}). Stop it first (sudo systemctl stop menshen-gate), or see what "
            "its devices say: `menshen devices watch --help`"
        )
    return f"\nProcess {who.pid} ({printable(who.called)}) has it open"


def _nothing(port: str, probed: Probed) -> str:
    noisy = {baud: count for baud, count in probed.noise.items() if count}
    if is_bus(port):
        return (
            f"{port}: no model of ours answers. Is it powered, are SDA and SCL swapped? `menshen devices list --scan`"
        )
    if noisy:
        most = ", ".join(f"{count} at {baud} baud" for baud, count in noisy.items())
        return (
            f"{port}: bytes come ({most}), and no model speaks that way. Is its ground joined, is it 3.3 V or RS-232, and is "
            "it one of `menshen devices models`? `menshen devices watch --raw` shows the bytes"
        )
    held = " or ".join(probed.shown)
    return (
        f"{port}: nothing came, and nobody answered. Is it powered, are TX and RX swapped? "
        f"Some say nothing until {held or 'something'} is held before them: try again, and hold it there when it says so"
    )
