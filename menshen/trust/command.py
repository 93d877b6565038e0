"""The commands. What they decide stands in `making`, `gateway.trust` and `central.trust.sources`."""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import click
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from menshen.keys import make_key_file, public_hex, read_key_file
from menshen.trust import options
from menshen.trust.at_gate import import_list, show
from menshen.trust.files import read, write
from menshen.trust.listing import summary
from menshen.trust.making import CannotMake, Changes, make_list
from sync.contract.sealed import SealError, seal
from sync.contract.text import harmless
from sync.contract.trust import PassKey, TrustList, seal_trust, unseal_trust

T = TypeVar("T")
PARTLY = 3  # exit code: written, and something that was asked for is not in it
_PATH = click.Path(path_type=Path)
_KEY = click.option("--key", "key_file", required=True, metavar="PEM", type=_PATH, help="The office's private key.")
_REPLACEABLE = ("eu", "shc", "revoked")


@click.group()
def trust() -> None:
    """Trust lists: whose signatures the gates believe. The office makes and signs them, a gate takes them from nobody else.

    \b
    At the office:
        menshen trust keygen office.pem                           once; prints what goes into [trust] office_keys
        menshen pass keygen passes.pem                            the key that passes are signed with
        menshen trust make --key office.pem --out site.trust --pass-key HEX:2026 --eu dsc.json
        menshen trust make --key office.pem --out next.trust --from site.trust --revoke-pass-key HEX
        menshen trust seal people.json --key office.pem           signs a directory
    At a gate:
        menshen trust import --config gate.toml site.trust        the gate may go on running
        menshen trust show --config gate.toml

    All of it: docs/trust.md.
    """


@trust.command()
@click.argument("file", type=_PATH)
def keygen(file: Path) -> None:
    """Make the office's key: FILE is new, PEM, and only its owner may read it. Prints the public half, which every gate pins.

    \b
    menshen trust keygen office.pem
    """
    click.echo(public_hex(make_key_file(file)))


@trust.command()
@_KEY
@click.option("--out", required=True, metavar="FILE", type=_PATH, help="The signed list; a new file.")
@click.option("--replace", is_flag=True, help="Write over a file that is there.")
@click.option(
    "--from", "old", metavar="FILE", type=_PATH, help="The list before: what is not named here stays as it is in it."
)
@click.option(
    "--old-key",
    "old_keys",
    multiple=True,
    metavar="HEX",
    callback=options.office_keys,
    help="Who signed --from, where that was another key.",
)
@click.option("--version", type=click.IntRange(1), help="Default: one above the old list's, or 1.")
@click.option(
    "--pass-key",
    "pass_keys",
    multiple=True,
    metavar="HEX[:NAME]",
    callback=options.pass_keys,
    help="A public key that passes are signed with.",
)
@click.option(
    "--retire-pass-key",
    "retire",
    multiple=True,
    metavar="HEX:DATE",
    callback=options.retired,
    help="Passes of this key that begin after that day (UTC) are not believed; the others go on.",
)
@click.option(
    "--revoke-pass-key",
    "revoke",
    multiple=True,
    metavar="HEX",
    callback=options.named_keys,
    help="No pass of this key is believed any more.",
)
@click.option(
    "--eu",
    multiple=True,
    metavar="PATH",
    type=_PATH,
    help="Signers of EU certificates: PEM or DER, a folder of them, a national list (JSON).",
)
@click.option(
    "--shc",
    multiple=True,
    metavar="PATH",
    type=_PATH,
    help="Issuers of SMART Health Cards: a JWKS, with its --issuer; or a VCI snapshot.",
)
@click.option("--issuer", multiple=True, metavar="URL", help="Whose keys the JWKS holds; one for each, in order.")
@click.option(
    "--revoked",
    multiple=True,
    metavar="FILE",
    type=_PATH,
    help="Revoked EU certificates: a UVCI or its hash on each line.",
)
@click.option(
    "--without", multiple=True, type=click.Choice(_REPLACEABLE), help="Leave out this whole part of the old list."
)
@click.option("--strict", is_flag=True, help="Write nothing when a source has something unusable in it.")
def make(
    key_file: Path,
    out: Path,
    replace: bool,
    old: Path | None,
    old_keys: tuple[Ed25519PublicKey, ...],
    version: int | None,
    pass_keys: tuple[PassKey, ...],
    retire: tuple[tuple[str, int], ...],
    revoke: tuple[str, ...],
    eu: tuple[Path, ...],
    shc: tuple[Path, ...],
    issuer: tuple[str, ...],
    revoked: tuple[Path, ...],
    without: tuple[str, ...],
    strict: bool,
) -> None:
    """Make a list and sign it. Pass keys are added, retired and revoked one by one; each of --eu, --shc and --revoked, when it
    is given, takes the place of that whole part of the old list, so that what its source has dropped is dropped.

    Exit code 0: written. 3: written, and something in the sources was unusable: each is named. 1: nothing was written.

    \b
    menshen trust make --key office.pem --out 1.trust --pass-key HEX:2026 --eu dsc-list.json --eu more-certificates/
    menshen trust make --key office.pem --out 2.trust --from 1.trust --pass-key NEW:2027 --retire-pass-key OLD:2026-12-31
    """
    from central.trust.sources import SourceError, read_issuers, read_revoked, read_signers

    key = read_key_file(key_file)
    if out.exists() and not replace:
        raise click.ClickException(f"{out} is there already, and may hold what was revoked: another name, or --replace")
    left_out: list[str] = []

    def report(sentence: str) -> None:
        left_out.append(sentence)
        click.echo(f"left out: {harmless(sentence, 300)}", err=True)

    try:
        changes = Changes(
            version=version,
            pass_keys=pass_keys,
            retire=retire,
            revoke=revoke,
            signers=_part("eu", eu, without, lambda: read_signers(eu, report, _progress)),
            issuers=_part("shc", shc or issuer, without, lambda: read_issuers(shc, issuer, report)),
            revoked_certificates=_part("revoked", revoked, without, lambda: read_revoked(revoked, report)),
        )
        content = make_list(_old_list(old, [key.public_key(), *old_keys]), changes, int(time.time()))
    except (CannotMake, SourceError, OSError) as error:
        raise click.ClickException(harmless(error, 500)) from None
    if left_out and strict:
        raise click.ClickException(f"nothing was written: {len(left_out)} left out of the sources, and --strict")
    write(out, seal_trust(content, key))
    click.echo(f"{out}: {summary(content)}")
    sys.exit(PARTLY if left_out else 0)


def _part(
    name: str, given: Sequence[object], without: Sequence[str], read: Callable[[], Sequence[T]]
) -> Sequence[T] | None:
    """The new part of this name; None when it stays as it was."""
    if name in without:
        if given:
            raise click.UsageError(f"--without {name} and --{name} contradict each other")
        return ()
    return read() if given else None


def _progress(entries: Sequence[T]) -> Iterable[T]:
    """The same, with a bar on a terminal while they are gone through."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(entries, "reading certificates", console=console, transient=True, disable=not console.is_terminal)


def _old_list(path: Path | None, keys: Sequence[Ed25519PublicKey]) -> TrustList | None:
    if path is None:
        return None
    try:
        return unseal_trust(read(path), keys)
    except SealError as error:
        raise click.ClickException(f"{path}: {error}; name the key that signed it with --old-key") from None


@trust.command("seal")
@click.argument("file", type=_PATH)
@_KEY
@click.option("--out", metavar="FILE", type=_PATH, help="Default: FILE with .sealed after it.")
def seal_file(file: Path, key_file: Path, out: Path | None) -> None:
    """Sign a directory (docs/directory.md), so that gates that pin the office's key take it: `menshen gate directory load`.
    What stands in it is checked there.

    \b
    menshen trust seal people.json --key office.pem
    """
    document = read(file)
    try:
        content = msgspec.json.decode(document)
    except msgspec.DecodeError as error:
        raise click.ClickException(f"{file}: is no JSON: {error}") from None
    if not (isinstance(content, dict) and isinstance(content.get("version"), int)):
        raise click.ClickException(f"{file}: is no directory: it has no version")
    out = out or file.with_name(f"{file.name}.sealed")
    write(out, seal(document, "directory", read_key_file(key_file)))
    click.echo(f"{out}: version {content['version']}, signed")


for each in (import_list, show):
    trust.add_command(each)
