"""`menshen office …`: run the office, and what is done at its computer: users, gates, the database."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from central.authority.commands import (
    authority,
    broker_certificate,
    command_certificate,
    gate_bundle,
    gate_revoke,
    post_certificate,
    tail_certificate,
)
from central.broker_options import Broker, with_broker, with_optional_broker
from central.holders.commands import directory
from central.ingest import LENT_S
from central.orders.commands import command
from central.setting_up import database, unmigrated, with_database, with_django
from central.visitors.commands import visitors

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from central.registry.models import Gate

SITE: Final = r"[A-Za-z0-9._-]{1,32}"


@click.group()
def office() -> None:
    """Run the office: pages, ingest, users and gates.

    \b
    menshen office migrate                  make the database, or bring it up to this version
    menshen office user add li              prints a one-time password
    menshen office serve --port 8000        the pages, until Ctrl-C
    menshen office ingest --broker HOST     takes the gates' records, until Ctrl-C
    menshen office gate list                what is known of the gates
    menshen office directory import holders FILE --site SITE
    menshen office visitors key             signs the passes of visitors who register by phone
    menshen office command release GATE     tells a gate something, now
    menshen office authority init           certificates for gates and broker: docs/office-security.md
    menshen office check                    what is wrong, and what to do about it

    The settings are environment variables: MENSHEN_OFFICE_DIR, the folder of database and key (default ./var/office), and
    those that `menshen office check` lists.
    """


@office.command()
@with_django
def migrate() -> None:
    """Make the database, or bring it up to this version. Nothing happens where there is nothing to do.

    \b
    MENSHEN_OFFICE_DIR=/var/lib/menshen-office menshen office migrate
    """
    from django.core.management import call_command

    from central.home import prepare_office_dir, secret_key

    prepare_office_dir()
    secret_key()
    call_command("migrate", interactive=False, verbosity=0)
    click.echo(f"{database()}: up to date")


@office.group()
def user() -> None:
    """Who may log in.

    \b
    menshen office user add li
    """


@user.command("add")
@click.argument("name")
@click.option("--staff", is_flag=True, help="May change the directory: holders, cards, orders.")
@click.option("--json", "as_json", is_flag=True, help='Print {"user": …, "password": …} for a program.')
@with_database
def user_add(name: str, as_json: bool, staff: bool) -> None:
    """Add a user, or give an existing one a new password. The password printed is good once: it must be changed at the
    first login, and cannot be shown again.

    \b
    menshen office user add li
    menshen office user add li --json
    """
    from django.core.exceptions import ValidationError

    from central.accounts.models import User, give_one_time_password

    name = User.normalize_username(name)
    try:
        User(username=name).clean_fields(exclude=["password"])
    except ValidationError as error:
        raise click.BadParameter(" ".join(error.messages), param_hint="NAME") from error
    known = User.objects.filter(username=name).exists()
    password = give_one_time_password(name)
    if staff:
        User.objects.filter(username=name).update(is_staff=True, is_superuser=True)
    if as_json:
        click.echo(json.dumps({"user": name, "password": password}))
        return
    click.echo(f"{name}: {'has a new password' if known else 'added'}\none-time password: {password}")


@office.group()
def gate() -> None:
    """Which gates the office takes records from.

    \b
    menshen office gate add north-gate --name "North gate"
    menshen office gate admit north-gate
    menshen office gate list
    """


@gate.command("add")
@click.argument("gate_id", metavar="ID")
@click.option("--name", help="What the pages call it; default: its id.")
@click.option("--site", help="Whose directory it follows, as in the gate's own file; without one it is sent none.")
@with_database
def gate_add(gate_id: str, name: str | None, site: str | None) -> None:
    """Add a gate before it is switched on, admitted already. For a gate that is there: admit it, name it and its site anew.

    ID is 1 to 32 of a-z, 0-9 and "-", as in the gate's own file.

    \b
    menshen office gate add north-gate --name "North gate" --site garden-court
    """
    from central.registry.admission import admit
    from central.registry.models import Gate
    from sync.contract.topics import GATE_ID

    if not GATE_ID.fullmatch(gate_id):
        raise click.BadParameter(f"{gate_id!r}: 1 to 32 of a-z, 0-9 and '-' are allowed", param_hint="ID")
    longest = Gate._meta.get_field("name").max_length
    if name is not None and longest is not None and len(name) > longest:
        raise click.BadParameter(f"at most {longest} characters", param_hint="--name")
    if site and not re.fullmatch(SITE, site):
        raise click.BadParameter(
            f"{site!r}: 1 to 32 letters, digits, '.', '_' and '-' are allowed", param_hint="--site"
        )
    created = admit(gate_id, name, site)
    click.echo(f"{gate_id}: {'added' if created else 'was there already'}, admitted")


@gate.command("admit")
@click.argument("gate_id", metavar="ID")
@with_database
def gate_admit(gate_id: str) -> None:
    """Admit a gate that has reached the broker by itself: from now on its records are taken.

    \b
    menshen office gate admit north-gate
    """
    from central.registry.models import Gate

    if not Gate.objects.filter(pk=gate_id).update(admitted=True):
        raise click.ClickException(
            f"{gate_id}: no such gate has been heard of: see `menshen office gate list`, or add it with "
            f"`menshen office gate add {gate_id}`"
        )
    click.echo(f"{gate_id}: admitted")


@gate.command("list")
@with_database
def gate_list() -> None:
    """List the gates: id, name, admitted or not, online or not, when last heard (in the office's time zone); site, and the
    directory it decides by.

    \b
    menshen office gate list
    """
    from django.utils.timezone import localtime
    from django.utils.timezone import now as office_now

    from central.registry.models import Gate

    now = office_now()
    for each in Gate.objects.all():
        heard = f"{localtime(each.last_heard):%Y-%m-%d %H:%M:%S %Z}" if each.last_heard else "never"
        site = (
            f"site {each.site}, directory {each.directory_epoch}.{each.directory_version}" if each.site else "no site"
        )
        standing = _standing(each, online=each.is_online(now))
        click.echo(f"{each.pk}\t{each.name}\t{standing}\tlast heard: {heard}\t{site}")


def _standing(gate: "Gate", *, online: bool) -> str:
    return ("online" if online else "offline") if gate.admitted else "not admitted"


@office.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen at.")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 64), help="Requests answered at once.")
@click.option(
    "--signing-key",
    metavar="PEM",
    type=click.Path(path_type=Path),
    help="The office's key that gates pin, to sign commands with; default: that of this office's authority.",
)
@with_optional_broker
@with_database
def serve(host: str, port: int, threads: int, broker: Broker | None, signing_key: Path | None) -> None:
    """Serve the pages until SIGTERM or Ctrl-C.

    It speaks plain HTTP. On anything but this machine put a proxy with TLS before it, and set MENSHEN_OFFICE_HOSTS to the
    name it is reached by and MENSHEN_OFFICE_HTTPS=1.

    With --broker, staff can send gates commands from the pages (docs/office-directory.md). At the broker the pages need the
    certificate of `menshen office command-certificate`.

    \b
    menshen office serve
    MENSHEN_OFFICE_HOSTS=office.example menshen office serve --host 0.0.0.0 --port 8000
    menshen office serve --broker mqtt.example --ca-file authority.pem --certificate-file command.pem --key-file command.key
    """
    from django.conf import settings

    from central.serving import serve as run

    if broker is None and signing_key is not None:
        raise click.UsageError("--signing-key is of no use without --broker HOST")
    key = None if broker is None else _signing_key(signing_key, "the pages send no commands")
    settings.COMMAND_ROAD = None if broker is None or key is None else (broker, key)
    run(host, port, threads=threads)


@office.command()
@click.option(
    "--lease",
    default=LENT_S,
    show_default=True,
    type=click.FloatRange(1, 300),
    metavar="SECONDS",
    help="With PostgreSQL: how long a process that has died keeps its gates.",
)
@click.option(
    "--signing-key",
    metavar="PEM",
    type=click.Path(path_type=Path),
    help="The office's key that gates pin, to sign directory and time with; default: that of this office's authority.",
)
@with_broker
@with_database
def ingest(broker: Broker, lease: float, signing_key: Path | None) -> None:
    """Take the gates' records from the broker into the database until SIGTERM or Ctrl-C.

    With SQLite, one at a time. With PostgreSQL (MENSHEN_OFFICE_DATABASE) as many as are wanted, here or on other machines:
    they share the gates, and take over from one that has died.

    With --ca-file it speaks TLS or not at all. A broker on another machine without TLS needs --plaintext.

    \b
    menshen office ingest --broker 127.0.0.1
    menshen office ingest --broker mqtt.example --ca-file authority.pem --certificate-file office.pem --key-file office.key
    menshen office ingest --broker mqtt.example --ca-file ca.pem --user office --password-file password
    """
    from central.ingest.process import main

    main(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        tls=broker.tls,
        lent_s=lease,
        signing_key=_signing_key(signing_key, "gates are sent no directory and no time"),
    )


def _signing_key(named: Path | None, without: str) -> "Ed25519PrivateKey | None":
    from central.authority.folder import authority_dir
    from sync.keyfiles import KeyFileError, read_key_file

    path = named or authority_dir() / "signing.key"
    if named is None and not path.exists():
        click.echo(
            f"no key to sign with: {without}. `menshen office authority init` makes one, or name "
            "one: --signing-key office.pem",
            err=True,
        )
        return None
    try:
        return read_key_file(path)
    except KeyFileError as error:
        raise click.ClickException(str(error)) from None


@office.command()
@with_django
def check() -> None:
    """Say what is wrong with this office, and what to do about it.

    Exit code 0: nothing. 1: something. The settings are environment variables:

    \b
    MENSHEN_OFFICE_DIR     folder of database and key (default ./var/office)
    MENSHEN_OFFICE_DATABASE  postgresql://USER:PASSWORD@HOST/DATABASE; nothing (default) = SQLite in that folder
    MENSHEN_OFFICE_HOSTS   names it is reached by beside loopback, separated by commas
    MENSHEN_OFFICE_HTTPS   1 = reached over HTTPS only, behind a proxy
    MENSHEN_OFFICE_TZ      time zone of the pages (default Asia/Shanghai)
    MENSHEN_OFFICE_ADMIT   manual (default) = a clerk admits new gates; auto = they are taken at once
    MENSHEN_OFFICE_REST_H  hours of rest between a guard's shifts, 0 to 24 (default 11)
    MENSHEN_LOG            log level (default INFO)

    \b
    MENSHEN_OFFICE_DIR=/var/lib/menshen-office menshen office check
    """
    from django.conf import settings

    from central.checking import problems
    from central.home import office_dir

    click.echo(f"folder     {office_dir()}  (MENSHEN_OFFICE_DIR)")
    click.echo(f"database   {database()}  (MENSHEN_OFFICE_DATABASE)")
    click.echo(f"answers to {', '.join(settings.ALLOWED_HOSTS)}  (MENSHEN_OFFICE_HOSTS)")
    click.echo(f"HTTPS only {'yes' if settings.SESSION_COOKIE_SECURE else 'no'}  (MENSHEN_OFFICE_HTTPS)")
    click.echo(f"time zone  {settings.TIME_ZONE}  (MENSHEN_OFFICE_TZ)")
    click.echo(f"new gates  {settings.ADMIT_GATES}  (MENSHEN_OFFICE_ADMIT)")
    click.echo(f"rest       {settings.GUARDS_REST_H} h between a guard's shifts  (MENSHEN_OFFICE_REST_H)")
    missing = unmigrated()
    found = [missing] if missing else problems()
    for problem in found:
        click.echo(f"wrong: {problem}", err=True)
    if found:
        raise SystemExit(1)
    click.echo("nothing wrong")


for _command in (
    authority,
    broker_certificate,
    command,
    command_certificate,
    post_certificate,
    directory,
    gate_bundle,
    gate_revoke,
    tail_certificate,
    visitors,
):
    office.add_command(_command)
