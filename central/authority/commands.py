"""`menshen office authority`, `broker-certificate`, `gate-bundle`, `gate-revoke`, `tail-certificate`, `command-certificate`,
`post-certificate`: who may connect.

Nothing secret is printed. The pages of a set-up, step by step: docs/office-security.md.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from central.setting_up import with_database, with_django
from sync.address import parse_address
from sync.contract.ed25519 import is_public_key
from sync.contract.passes import SITE
from sync.contract.topics import GATE_ID
from sync.tls import PORT, is_loopback

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from central.authority.folder import Authority

P = ParamSpec("P")
R = TypeVar("R")
_OUT = click.option(
    "--out", required=True, metavar="DIR|FILE.tar", type=click.Path(path_type=Path), help="A new folder or archive."
)
LONGEST_NAME = 64  # of a gate, as in its own file


def _told(command: Callable[P, R]) -> Callable[P, R]:
    """What the authority refuses is told in one line."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        from central.authority.folder import AuthorityError
        from sync.keyfiles import KeyFileError

        try:
            return command(*args, **kwargs)
        except (AuthorityError, KeyFileError) as error:
            raise click.ClickException(str(error)) from error

    return run


def _authority() -> "Authority":
    from central.authority.folder import Authority, authority_dir

    return Authority(authority_dir())


def _now() -> datetime:
    from django.utils.timezone import now

    return now()


def _new(out: Path) -> Path:
    """Asked before anything is issued."""
    if out.exists():
        raise click.BadParameter(f"{out} is there already: a key is never written over", param_hint="--out")
    if not out.absolute().parent.is_dir():
        raise click.BadParameter(f"{out.absolute().parent} is no folder", param_hint="--out")
    return out


def _gate_id(_ctx: click.Context, _option: click.Parameter, name: str) -> str:
    from central.authority.folder import RESERVED

    if not GATE_ID.fullmatch(name):
        raise click.BadParameter(f"{name!r}: 1 to 32 of a-z, 0-9 and '-' are allowed")
    if name.startswith(RESERVED):
        raise click.BadParameter(f"{name!r}: what begins with {RESERVED} is the office's own; choose another name")
    return name


def _site(_ctx: click.Context, _option: click.Parameter, site: str) -> str:
    if not SITE.fullmatch(site):
        raise click.BadParameter(f"{site!r}: 1 to 32 of letters, digits, '.', '_' and '-' are allowed")
    return site


def _name(_ctx: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    if name is not None and not (name.isprintable() and len(name) <= LONGEST_NAME):
        raise click.BadParameter(f"at most {LONGEST_NAME} characters, and nothing that cannot be printed")
    return name


def _address(_ctx: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, int] | None:
    try:
        return None if text is None else parse_address(text, PORT)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _office_keys(_ctx: click.Context, _option: click.Parameter, keys: tuple[str, ...]) -> tuple[str, ...]:
    for key in keys:
        try:
            good = is_public_key(bytes.fromhex(key))
        except ValueError:
            good = False
        if not good:
            raise click.BadParameter(f"{key!r} is no public key: 64 hexadecimal digits, as `keygen` prints them")
    return tuple(key.lower() for key in keys)


@click.group()
def authority() -> None:
    """The office's authority, which signs the certificates of gates and broker.

    \b
    menshen office authority init
    menshen office authority show

    Setting up a broker and a gate, step by step: docs/office-security.md.
    """


@authority.command("init")
@with_django
@_told
def init() -> None:
    """Make the authority, once: below MENSHEN_OFFICE_DIR, its keys for their owner's eyes only. With it the office's own
    certificate for the broker, and the key that it signs with for the gates; prints that one's public half.

    \b
    menshen office authority init
    """
    from central.authority.folder import Authority, authority_dir
    from central.home import prepare_office_dir
    from sync.keyfiles import public_hex

    prepare_office_dir()
    made = Authority.make(authority_dir(), _now())
    click.echo(f"{made.certificate_file}: made; keep a copy of its folder where nobody else comes")
    click.echo(f"the office's public key, which gates pin: {public_hex(made.signing_key)}")


@authority.command("show")
@with_django
@_told
def show() -> None:
    """Show what was issued and counts: name, until when, and for the broker its hosts. Then the office's public key.

    \b
    menshen office authority show
    """
    from central.authority.certificates import common_name
    from sync.keyfiles import public_hex

    found = _authority()
    for each in found.standing():
        click.echo(f"{common_name(each)}\tuntil {each.not_valid_after_utc:%Y-%m-%d}{_hosts(each)}")
    click.echo(f"the office's public key: {public_hex(found.signing_key)}")


@authority.command("renew-office")
@click.option("--new-entrance", is_flag=True, help="Shut out whoever has an old one: a key of the office's was stolen.")
@with_django
@_told
def renew_office(new_entrance: bool) -> None:
    """Give the office's ingest a new certificate for the broker, before the old one is over. It takes it with its next
    connection.

    \b
    menshen office authority renew-office
    """
    found = _authority()
    if not new_entrance:
        found.renew_office(_now())
        click.echo("the office has a new certificate")
        return
    found.renew_entrance(_now())
    click.echo("the office has a new certificate, and a new entrance: make those for tail and command anew")
    click.echo(
        f"now copy {found.entrance_file} to the broker and start the broker again: until then the old ones are good"
    )


def _hosts(certificate: "Certificate") -> str:
    from central.authority.certificates import common_name, host_names
    from central.authority.folder import BROKER

    return f"\t{', '.join(host_names(certificate))}" if common_name(certificate) == BROKER else ""


@click.command("broker-certificate")
@click.argument("hosts", metavar="HOST...", nargs=-1, required=True)
@_OUT
@with_django
@_told
def broker_certificate(hosts: tuple[str, ...], out: Path) -> None:
    """Make what mosquitto needs: broker.key and broker.pem for these names and addresses, and whom it lets in by which port:
    authority.pem, revoked.crl, entrance.pem.

    HOST is what gates and office have as the broker's host: a name or an address, all of them that are in use.

    \b
    menshen office broker-certificate mqtt.example 192.0.2.7 localhost --out broker
    """
    from central.authority.bundle import write_files

    _new(out)
    found = _authority()
    identity = found.issue_broker(hosts, _now())
    files = {
        "authority.pem": found.certificate_file.read_bytes(),
        "entrance.pem": found.entrance_file.read_bytes(),
        "revoked.crl": found.revoked_file.read_bytes(),
        "broker.pem": identity.certificate,
        "broker.key": identity.key,
    }
    write_files(files, out)
    _written(files, out)


@click.command("gate-bundle")
@click.argument("gate_id", metavar="NAME", callback=_gate_id)
@click.option(
    "--site",
    required=True,
    callback=_site,
    help="The site whose passes are good there, and whose directory it follows.",
)
@click.option("--name", callback=_name, help="What the pages call it; default: its id, or what they call it now.")
@click.option(
    "--broker",
    metavar="HOST[:PORT]",
    callback=_address,
    help=f"The broker as the gate reaches it, by TLS; default: the first of the hosts in its certificate, port {PORT}.",
)
@click.option(
    "--office-key",
    "more_keys",
    metavar="HEX",
    multiple=True,
    callback=_office_keys,
    help="Another public key to pin, such as that of the trust list.",
)
@_OUT
@with_database
@_told
def gate_bundle(
    gate_id: str, site: str, name: str | None, broker: tuple[str, int] | None, more_keys: tuple[str, ...], out: Path
) -> None:
    """Make what a gate needs to connect, and admit it: its key and certificate, the authority, and a gate.toml that lacks
    only the devices. NAME is the gate's id, 1 to 32 of a-z, 0-9 and "-".

    Doing it again gives the gate a new certificate, before the old one is over; the old one goes on being good. A gate that
    was lost or broken into is revoked first: `menshen office gate-revoke NAME`.

    \b
    menshen office gate-bundle north-gate --site garden-court --broker mqtt.example --out north-gate.tar
    menshen office gate-bundle north-gate --site garden-court --name "North gate" --out /media/stick/north-gate
    """
    from central.authority.bundle import GateFacts, bundle_files, write_files
    from central.registry.admission import admit
    from sync.keyfiles import public_hex

    _new(out)
    found = _authority()
    host, port = broker or (_host(found), PORT)
    keys = tuple(dict.fromkeys((public_hex(found.signing_key), *more_keys)))
    facts = GateFacts(gate=gate_id, site=site, name=name or gate_id, host=host, port=port, office_keys=keys)
    files = bundle_files(facts, found.issue_client(gate_id, _now()), found.certificate_file.read_bytes())
    write_files(files, out)
    admit(gate_id, name, site)
    _written(files, out)
    click.echo(f"{gate_id}: admitted")
    _warn(host, found.broker_hosts())


def _host(found: "Authority") -> str:
    hosts = found.broker_hosts()
    if not hosts:
        raise click.UsageError("the broker has no certificate that would say where it is: give --broker HOST")
    return next((host for host in hosts if not is_loopback(host)), hosts[0])


def _warn(host: str, hosts: list[str]) -> None:
    if hosts and host not in hosts:
        click.echo(
            f"the broker's certificate is for {', '.join(hosts)}, so the gate will refuse {host}: make another with "
            "`menshen office broker-certificate`",
            err=True,
        )


@click.command("gate-revoke")
@click.argument("gate_id", metavar="NAME", callback=_gate_id)
@with_django
@_told
def gate_revoke(gate_id: str) -> None:
    """Revoke every certificate that was issued to a gate until now. Then give the list to the broker, which knows nothing of
    it before, and start it again, which ends the gate's connection.

    \b
    menshen office gate-revoke north-gate
    """
    found = _authority()
    click.echo(f"{gate_id}: {found.revoke(gate_id, _now())} certificate(s) revoked")
    click.echo(f"now copy {found.revoked_file} to the broker and start the broker again: until then they are good")


@click.command("tail-certificate")
@_OUT
@with_django
@_told
def tail_certificate(out: Path) -> None:
    """Make what `menshen wire tail` shows to the broker: a certificate that may read everything and write nothing.

    \b
    menshen office tail-certificate --out tail
    """
    from central.authority.folder import TAIL

    _write_client(TAIL, "tail", out)


@click.command("command-certificate")
@_OUT
@with_django
@_told
def command_certificate(out: Path) -> None:
    """Make what `menshen office command` shows to the broker: a certificate that may read the gates' states and write
    commands. A gate believes a command by the office's key, not by this.

    \b
    menshen office command-certificate --out command
    """
    from central.authority.folder import COMMAND

    _write_client(COMMAND, "command", out)


@click.command("post-certificate")
@_OUT
@with_django
@_told
def post_certificate(out: Path) -> None:
    """Make what `menshen post` shows to the site's broker: a certificate that may read the gates' alarms and states, and write
    heartbeats and commands. A gate believes both by the post's own key, not by this, and takes no command from it but to
    acknowledge.

    \b
    menshen office post-certificate --out post
    """
    from central.authority.folder import POST

    _write_client(POST, "post", out)


def _write_client(name: str, stem: str, out: Path) -> None:
    from central.authority.bundle import write_files

    _new(out)
    found = _authority()
    identity = found.issue_client(name, _now())
    files = {
        "authority.pem": found.certificate_file.read_bytes(),
        f"{stem}.pem": identity.certificate,
        f"{stem}.key": identity.key,
    }
    write_files(files, out)
    _written(files, out)


def _written(files: Mapping[str, bytes], out: Path) -> None:
    click.echo(f"{out}: {', '.join(sorted(files))}")
    click.echo("what ends in .key is secret: bring it there by hand, and leave no copy on the way")
