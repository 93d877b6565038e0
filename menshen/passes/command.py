"""The commands."""

import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from zoneinfo import ZoneInfo

import click
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from menshen.keys import make_key_file, public_hex, write_key_file
from menshen.passes import drawing, inputs, telling
from menshen.passes.times import BadTime, begin, end
from sync.contract.colours import PassType
from sync.contract.passes import Pass, PassKeys, Shown, present, read_pass, sign_pass, verify_pass
from sync.errors import CredentialRefused

NOT_VALID = 1  # exit code of verify
F = TypeVar("F", bound=Callable[..., Any])
_PATH = click.Path(path_type=Path)
_TEXT = click.argument("source", metavar="TEXT|-|FILE")
_ZONE = click.option(
    "--zone", default="Asia/Shanghai", show_default=True, callback=inputs.zone, help="The time zone of all times."
)
_AT = click.option("--at", metavar="TIME", help="As if it were this time, such as 2026-12-31T18:00. Default: now.")


def _pictures(command: F) -> F:
    """The options for a QR."""
    for option in (
        click.option("--qr", is_flag=True, help="Draw the QR in the terminal too (best on a dark background)."),
        click.option("--svg", metavar="FILE", type=_PATH, help="Write the QR as SVG, 0.6 mm a module."),
        click.option("--png", metavar="FILE", type=_PATH, help="Write the QR as PNG."),
    ):
        command = option(command)
    return command


def _keys(command: F) -> F:
    """The options for whom to believe."""
    for option in (
        click.option(
            "--office-key",
            "office_keys",
            multiple=True,
            metavar="HEX",
            help="Whose trust list: the office's public key.",
        ),
        click.option(
            "--trust",
            "trust_list",
            metavar="FILE",
            type=_PATH,
            help="A signed trust list whose pass keys are believed.",
        ),
        click.option("--key", "keys", multiple=True, metavar="HEX", help="A public key that passes are signed with."),
    ):
        command = option(command)
    return command


@click.group()
def passes() -> None:
    """Passes: QR codes that say who may come in, signed by the office, verified at the gates without a network.

    \b
    menshen pass keygen passes.pem                       once; prints what goes into the trust list
    menshen pass issue --key passes.pem --type resident --site north --holder h-0101 --end 2026-12-31 --png h-0101.png
    menshen pass show 'MP1:…'                            in single quotes: the text has $ and * in it
    menshen pass verify --key HEX - < pass.txt           exit code 0: valid; 1: not, and why
    \b
    Passes on phones, tried out without a phone:
    menshen pass keygen --phone phone.pem > phone.pub
    menshen pass issue … --phone-key phone.pub > pass.txt
    menshen pass present pass.txt --phone-key phone.pem --qr

    All of it: docs/passes.md.
    """


@passes.command()
@click.argument("file", type=_PATH)
@click.option(
    "--phone", is_flag=True, help="A phone's key (P-256) instead, to try things with; prints its public half as PEM."
)
def keygen(file: Path, phone: bool) -> None:
    """Make the key that passes are signed with: FILE is new, PEM, and only its owner may read it. Prints the public half.

    \b
    menshen pass keygen passes.pem
    """
    try:
        click.echo(_make_phone(file) if phone else public_hex(make_key_file(file)))
    except click.ClickException as error:
        raise click.BadParameter(error.message, param_hint="FILE") from None


def _make_phone(file: Path) -> str:
    key = generate_private_key(SECP256R1())
    write_key_file(file, key)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode().rstrip("\n")


@passes.command()
@click.option(
    "--key", "key_file", required=True, metavar="PEM", type=_PATH, help="The private key, from `menshen pass keygen`."
)
@click.option("--type", "pass_type", required=True, type=click.Choice([each.value for each in PassType]))
@click.option(
    "--site", required=True, help="Where it is good: [gate] site of the gates' files, at most 32 letters, digits, . _ -"
)
@click.option(
    "--holder", required=True, help="Whose it is: a reference, at most 40 letters, digits, . _ -, never a name."
)
@click.option(
    "--begin", "begins", metavar="TIME", help="A day (from 00:00) or a time, as 2026-12-31T08:00. Default: now."
)
@click.option("--end", "ends", required=True, metavar="TIME", help="A day (until it ends) or a time.")
@_ZONE
@click.option("--phone-key", metavar="PEM", type=_PATH, help="Only good on the phone with this public key (P-256).")
@_pictures
def issue(
    key_file: Path,
    pass_type: str,
    site: str,
    holder: str,
    begins: str | None,
    ends: str,
    zone: ZoneInfo,
    phone_key: Path | None,
    png: Path | None,
    svg: Path | None,
    qr: bool,
) -> None:
    """Issue a pass. Prints its text; what it says goes to standard error, with its id, by which it can be revoked.

    \b
    menshen pass issue --key passes.pem --type visitor --site north --holder v-0042 \\
        --begin 2026-12-24 --end 2026-12-26 --svg v-0042.svg
    """
    key = inputs.read_office_key(key_file)
    not_before_s = int(time.time()) if begins is None else _time(begin, begins, zone, "--begin")
    expires_s = _time(end, ends, zone, "--end")
    if expires_s <= not_before_s:
        raise click.BadParameter("the pass would end before it begins", param_hint="--end")
    content = Pass(
        pass_id=secrets.token_bytes(8),
        pass_type=PassType(pass_type),
        site=site,
        not_before_s=not_before_s,
        expires_s=expires_s,
        holder=holder,
        phone=b"" if phone_key is None else inputs.read_phone(phone_key),
    )
    try:
        text = sign_pass(content, key)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    _output(text, png, svg, qr, telling.in_brief(content, zone))


@passes.command()
@_TEXT
@_keys
@_ZONE
def show(
    source: str, keys: tuple[str, ...], trust_list: Path | None, office_keys: tuple[str, ...], zone: ZoneInfo
) -> None:
    """Say what a pass says. Its signature is looked at only when --key or --trust says whom to believe.

    \b
    menshen pass show pass.txt
    """
    text, believed = inputs.read_text(source), inputs.pass_keys(keys, trust_list, office_keys)
    try:
        shown = read_pass(text)
    except CredentialRefused as error:
        raise click.BadParameter(f"no pass: {error.reason}", param_hint="TEXT|-|FILE") from None
    click.echo(telling.tell(shown, zone))
    click.echo(f"{'signature':<12}{_signature(text, believed)}")


def _signature(text: str, believed: PassKeys | None) -> str:
    if believed is None:
        return "not looked at: anybody can write this; give --key or --trust"
    try:
        verify_pass(text, believed)
    except CredentialRefused as error:
        return f"NOT GOOD: {error.reason}"
    return "good"


@passes.command()
@_TEXT
@_keys
@click.option("--site", help="Where it is shown. Default: where it says that it is good.")
@_AT
@_ZONE
def verify(
    source: str,
    keys: tuple[str, ...],
    trust_list: Path | None,
    office_keys: tuple[str, ...],
    site: str | None,
    at: str | None,
    zone: ZoneInfo,
) -> None:
    """Verify a pass as a gate does, but for what only its directory knows (revoked passes).

    Exit code 0: valid. 1: not valid, and the reason (docs/passes.md has them all). 2: this could not be tried.

    \b
    menshen pass verify --key HEX 'MP1:…'
    menshen pass verify --trust site.trust --office-key HEX --site north pass.txt
    """
    believed = inputs.pass_keys(keys, trust_list, office_keys)
    if believed is None:
        raise click.UsageError("whom to believe? Give --key HEX, or --trust FILE with --office-key HEX")
    at_s = _at(at, zone)
    try:
        shown = verify_pass(inputs.read_text(source), believed)
        reason = shown.why_not(site=shown.content.site if site is None else site, at_s=at_s)
    except CredentialRefused as error:
        _refuse(error.reason)
    if reason:
        _refuse(reason, shown, zone)
    click.echo(f"valid: {telling.in_brief(shown.content, zone)}")


def _refuse(reason: str, shown: Shown | None = None, zone: ZoneInfo | None = None) -> NoReturn:
    said = "" if shown is None or zone is None else f" ({telling.in_brief(shown.content, zone)})"
    click.echo(f"not valid: {reason}{said}")
    sys.exit(NOT_VALID)


@passes.command("present")
@_TEXT
@click.option("--phone-key", required=True, metavar="PEM", type=_PATH, help="The phone's private key.")
@_AT
@_ZONE
@_pictures
def present_command(
    source: str, phone_key: Path, at: str | None, zone: ZoneInfo, png: Path | None, svg: Path | None, qr: bool
) -> None:
    """Show what a phone would show now of a pass that was issued for it. By a right clock it is good for a minute at most.

    \b
    menshen pass present pass.txt --phone-key phone.pem --qr
    """
    key = inputs.read_phone_key(phone_key)
    try:
        text = present(inputs.read_text(source), key, _at(at, zone))
    except CredentialRefused as error:
        raise click.BadParameter(f"no pass: {error.reason}", param_hint="TEXT|-|FILE") from None
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    _output(text, png, svg, qr)


def _time(parse: Callable[[str, ZoneInfo], int], text: str, zone: ZoneInfo, option: str) -> int:
    try:
        return parse(text, zone)
    except BadTime as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def _at(text: str | None, zone: ZoneInfo) -> int:
    return int(time.time()) if text is None else _time(begin, text, zone, "--at")


def _output(text: str, png: Path | None, svg: Path | None, qr: bool, told: str = "") -> None:
    """The text goes to standard output, all else to standard error: `> pass.txt` holds the pass alone."""
    code = drawing.draw(text)
    try:
        if png is not None:
            drawing.save_png(code, png)
        if svg is not None:
            drawing.save_svg(code, svg)
    except OSError as error:
        raise click.UsageError(f"{error.filename}: cannot be written: {error.strerror}") from None
    if told:
        click.echo(told, err=True)
    click.echo(drawing.describe(code), err=True)
    click.echo(text)
    if qr:
        click.echo(drawing.terminal(code), err=True)
