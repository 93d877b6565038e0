"""`menshen gate guard …`, `visitors` and `page-certificate`: who may use the guard's page, who was registered on it, and what
it shows to browsers."""

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec
from zoneinfo import ZoneInfo

import click

from gateway.errors import GatewayError

if TYPE_CHECKING:
    from gateway.config import GateConfig
    from gateway.page.guards import Guard

P = ParamSpec("P")
CONFIG = click.option(
    "--config", "path", required=True, metavar="FILE", type=click.Path(path_type=Path), help="The gate's file (TOML)."
)


def _told(command: Callable[P, None]) -> Callable[P, None]:
    """What cannot be done is told in one line."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (GatewayError, OSError) as error:
            raise click.ClickException(str(error)) from error

    return run


def _with_page(path: Path) -> tuple["GateConfig", Path]:
    """The configuration, and the file of its guards; a file without a page is told."""
    from gateway.config import ConfigError, load

    try:
        config = load(path)
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    if config.page is None:
        raise click.ClickException(f"{path} has no section [page]: this gate serves no guard's page")
    return config, config.page.guards(config.gate.data_dir)


@click.group()
def guard() -> None:
    """Who may log in to the guard's page, by PIN or card. A running gate goes by it at once."""


@guard.command("add")
@CONFIG
@click.argument("name")
@click.option(
    "--leader", is_flag=True, help="The leader on shift: may instruct, order lockdown, free passage and drills."
)
@click.option("--holder", default="", metavar="HOLDER", help="Whose card logs in, as the directory names them.")
@click.option("--pin", help="6 to 32 digits; better not given here, where others may see it: it is asked for.")
@_told
def add(path: Path, name: str, leader: bool, holder: str, pin: str | None) -> None:
    """Let NAME log in, or give NAME another PIN, role or card."""
    from gateway.page.guards import Role, new_guard, read_guards, write_guards

    _, file = _with_page(path)
    known = dict(read_guards(file))
    others = [each.name for each in known.values() if holder and each.holder == holder and each.name != name]
    if others:
        raise click.ClickException(f"the card of {holder} logs in {others[0]} already")
    given = pin if pin is not None else click.prompt("PIN", hide_input=True, confirmation_prompt=True)
    known[name] = new_guard(name, given, Role.LEADER if leader else Role.GUARD, holder)
    write_guards(file, list(known.values()))
    click.echo(f"{name} may log in to the guard's page ({_described(known[name])}); kept in {file}")


@guard.command("list")
@CONFIG
@_told
def listed(path: Path) -> None:
    """Show who may log in."""
    from gateway.page.guards import read_guards

    for each in read_guards(_with_page(path)[1]).values():
        click.echo(f"{each.name}  {_described(each)}")


@guard.command("remove")
@CONFIG
@click.argument("name")
@_told
def remove(path: Path, name: str) -> None:
    """NAME may log in no more, and is logged out at once."""
    from gateway.page.guards import read_guards, write_guards

    _, file = _with_page(path)
    known = dict(read_guards(file))
    if known.pop(name, None) is None:
        raise click.ClickException(f"{file} names no {name}; known are: {', '.join(known) or 'none'}")
    write_guards(file, list(known.values()))
    click.echo(f"{name} may log in no more")


def _described(each: "Guard") -> str:
    return ", ".join([each.role.value, *([f"card of {each.holder}"] if each.holder else [])])


@click.command()
@CONFIG
@click.argument("reference", required=False)
@_told
def visitors(path: Path, reference: str | None) -> None:
    """Show who was registered on the guard's page: all, or the one whom a visit's record names by REFERENCE. These names are
    kept at this gate alone."""
    from gateway.page.visitors import VisitorFile, file_in

    config, _ = _with_page(path)
    zone = ZoneInfo(config.policy.timezone)
    found = [each for each in VisitorFile(file_in(config.gate.data_dir)).read() if reference in (None, each.reference)]
    if reference is not None and not found:
        raise click.ClickException(f"nobody was registered as {reference}, or it is longer ago than names are kept")
    for each in found:
        at = f"{datetime.fromtimestamp(each.at_ms / 1000, zone):%Y-%m-%d %H:%M}"
        click.echo(
            "  ".join((at, each.reference, each.name, each.phone or "-", each.host, each.purpose or "-", each.by))
        )


@click.command("page-certificate")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    required=True,
    metavar="HOST",
    help="A name or address the page is opened by; several.",
)
@click.option(
    "--out", required=True, metavar="DIR", type=click.Path(path_type=Path), help="Where page.pem and page.key go."
)
@_told
def page_certificate(hosts: tuple[str, ...], out: Path) -> None:
    """Make a certificate that signs itself for the guard's page, where the office gives none. The tablet is told once to
    believe page.pem; compare the fingerprint. What is there already is not replaced.

    \b
    menshen gate page-certificate --host 192.168.1.20 --host east-gate.local --out /etc/menshen
    """
    from gateway.page.certificate import page_certificate as make

    certificate, key = out / "page.pem", out / "page.key"
    try:
        made = make(hosts, datetime.now(UTC))
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    out.mkdir(parents=True, exist_ok=True)
    for path, data, mode in ((key, made.key, 0o600), (certificate, made.certificate, 0o644)):
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened:
            opened.write(data)
    click.echo(f"wrote {certificate} and {key}; SHA-256 fingerprint:\n{made.fingerprint}")
