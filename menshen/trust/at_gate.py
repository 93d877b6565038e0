"""The gate's side of `menshen trust`: taking a list, and showing what is held."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.errors import GatewayError
from gateway.loading_or_exit import CONFIG, load_or_exit
from menshen.trust import options
from menshen.trust.files import read
from menshen.trust.listing import age, print_list, summary
from sync.contract import cose
from sync.contract.sealed import SealError
from sync.contract.trust import TrustList, day, older_than, unseal_trust
from sync.errors import CredentialRefused

if TYPE_CHECKING:
    from rich.console import Console

    from gateway.config import GateConfig
    from gateway.directory import Directory

PATH = click.Path(path_type=Path)


@click.command("import")
@CONFIG
@click.argument("file", metavar="LIST", type=PATH)
def import_list(path: Path, file: Path) -> None:
    """Take a list at this gate, which may go on running: it goes by it from the next scan on. The list must be signed by a
    key of [trust] office_keys, and newer than the one held.

    \b
    menshen trust import --config /etc/menshen/gate.toml site.trust
    """
    from gateway.clock import Clock
    from gateway.directory import Directory
    from gateway.trust import AHEAD_S, import_trust

    config, sealed = load_or_exit(path), read(file)
    now_s = Clock().now().at_ms // 1000
    try:
        config.gate.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        taken = import_trust(Directory(config.gate.data_dir / "directory.sqlite"), sealed, config.trust.keys, now_s)
    except (GatewayError, OSError) as error:
        raise click.ClickException(f"{file}: {error}") from error
    if taken is None:
        click.echo(f"{file}: is the list that this gate has already")
        return
    click.echo(f"{file}: {summary(taken)}; {age(taken.issued_s, now_s)}")
    if taken.issued_s > now_s + AHEAD_S:
        click.echo("its date is ahead of the clock here: one of the two clocks is wrong", err=True)
    if older_than(taken.issued_s, config.policy.credentials.trust_max_age_days, now_s):
        click.echo("it is older than [policy.credentials] trust_max_age_days allows", err=True)


@click.command()
@click.argument("file", metavar="[LIST]", type=PATH, required=False)
@click.option("--config", "path", metavar="FILE", type=PATH, help="The gate's file (TOML): shows the list it holds.")
@click.option(
    "--key", "keys", multiple=True, metavar="HEX", callback=options.office_keys, help="Verify LIST by this office key."
)
@click.option("--all", "everything", is_flag=True, help="Every signer and key, not only how many.")
def show(file: Path | None, path: Path | None, keys: tuple[Ed25519PublicKey, ...], everything: bool) -> None:
    """Show the list that a gate holds, or one in a file, and how old it is.

    \b
    menshen trust show --config /etc/menshen/gate.toml
    menshen trust show site.trust --key HEX
    """
    if (file is None) is (path is None):
        raise click.UsageError("name either a LIST or a gate's file with --config")
    if path is not None:
        _show_gate(path, everything=everything)
    elif file is not None:
        _show_file(file, keys, everything=everything)


def _show_file(file: Path, keys: Sequence[Ed25519PublicKey], *, everything: bool) -> None:
    data = read(file)
    try:
        content = unseal_trust(data, keys) if keys else _unverified(data)
    except (SealError, CredentialRefused, msgspec.DecodeError) as error:
        raise click.ClickException(f"{file}: {error}") from None
    console = _console()
    console.print("signed by the key that was named" if keys else "NOT VERIFIED: give the office's key with --key HEX")
    _print(console, content, int(time.time()), everything=everything)


def _unverified(data: bytes) -> TrustList:
    return msgspec.json.decode(cose.decode_sign1(data).payload, type=TrustList)


def _show_gate(path: Path, *, everything: bool) -> None:
    from gateway.clock import Clock
    from gateway.directory import Directory

    config, console = load_or_exit(path), _console()
    file = config.gate.data_dir / "directory.sqlite"
    if not file.exists():
        raise click.ClickException(f"{file} does not exist: nothing was imported or loaded at this gate yet")
    now_s = Clock().now().at_ms // 1000
    try:
        directory = Directory(file)
        console.print(_edition(directory, now_s))
        _show_held(console, config, directory, now_s, everything=everything)
    except GatewayError as error:
        raise click.ClickException(str(error)) from error


def _edition(directory: "Directory", now_s: int) -> str:
    edition = directory.edition()
    if edition is None:
        return "directory: none was ever loaded"
    issued = f", issued {day(edition.issued_s)}, {age(edition.issued_s, now_s)}" if edition.issued_s else ""
    return f"directory: version {edition.version}{issued}" + _received(edition.received_s)


def _received(received_s: int) -> str:
    return f", received {day(received_s)}" if received_s else ""


def _show_held(
    console: "Console", config: "GateConfig", directory: "Directory", now_s: int, *, everything: bool
) -> None:
    kept, policy = directory.trust_list(), config.policy.credentials
    if kept is None:
        raise click.ClickException("no trust list was ever imported: passes and certificates are for the guard")
    try:
        content = unseal_trust(kept.sealed, config.trust.keys)
    except SealError as error:
        text = f"the trust list held here cannot be believed: {error}; passes and certificates are for the guard"
        raise click.ClickException(text) from None
    _print(console, content, now_s, _received(kept.received_s), everything=everything)
    if older_than(content.issued_s, policy.trust_max_age_days, now_s):
        console.print(f"TOO OLD: {policy.trust_max_age_days} days are allowed; meanwhile: {policy.when_trust_is_old}")


def _console() -> "Console":
    from rich.console import Console

    return Console(highlight=False, markup=False, soft_wrap=True)


def _print(console: "Console", content: TrustList, now_s: int, received: str = "", *, everything: bool) -> None:
    console.print(f"trust list: {summary(content)}")
    console.print(f"issued {day(content.issued_s)}, {age(content.issued_s, now_s)}{received}")
    print_list(console, content, everything=everything)
