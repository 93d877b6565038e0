"""`menshen office command …`: tell a gate something, now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from central.broker_options import Broker, with_broker
from central.setting_up import with_database
from sync.contract.commands import SAYABLE, Acknowledge, Command, NoCommand, Release, Say
from sync.keyfiles import KeyFileError, read_key_file

if TYPE_CHECKING:
    from central.accounts.models import User
    from central.orders.models import Order
    from central.registry.models import Gate

R = TypeVar("R")
REFUSED, NOT_DELIVERED = 3, 4  # exit codes
_OPTIONS: Final = (
    click.argument("gate_id", metavar="GATE"),
    click.option("--by", required=True, metavar="NAME", help="The office's user who orders it."),
    click.option(
        "--office-key",
        "office_key",
        required=True,
        metavar="PEM",
        type=click.Path(path_type=Path),
        help="The office's private key, which the gate pins.",
    ),
)


@click.group()
def command() -> None:
    """Tell a gate something, now: it is carried out within seconds or not at all, and never kept for later.

    \b
    menshen office command release north-gate --by li --office-key office.pem --broker HOST --reason wheelchair
    menshen office command say north-gate guard-comes --by li --office-key office.pem --broker HOST
    menshen office command acknowledge north-gate ALARM --by li --office-key office.pem --broker HOST
    menshen office command list

    `menshen office ingest` must run: it knows the gates' clocks. Use a certificate of its own at the broker (`menshen office
    command-certificate`). Docs: docs/commands.md.

    Exit code 0: carried out. 3: the gate refused it, and says why. 4: not delivered. 1: it could not be ordered. 2: wrong
    options. Who ordered what, and what became of it, is kept.
    """


@dataclass(frozen=True, slots=True)
class _Ordering:
    """Who orders something of which gate, and how it gets there."""

    gate_id: str
    by: str
    office_key: Path
    broker: Broker


def _with_ordering(function: Callable[..., R]) -> Callable[..., R]:
    """Give the command the options that all of them have, and hand it one `ordering`."""

    @wraps(function)
    def run(gate_id: str, by: str, office_key: Path, broker: Broker, **others: Any) -> R:
        return function(_Ordering(gate_id, by, office_key, broker), **others)

    with_options: Callable[..., R] = with_broker(run)
    for option in reversed(_OPTIONS):
        with_options = option(with_options)
    return with_options


@command.command()
@_with_ordering
@click.option("--portal", default="", metavar="NAME", help="Which; default: the gate's only one.")
@click.option("--reason", default="", metavar="WORDS", help="Why, for the record.")
@with_database
def release(ordering: _Ordering, portal: str, reason: str) -> None:
    """Let somebody in: release the door, at once. Not in a lockdown, which has to be lifted first.

    \b
    menshen office command release north-gate --by li --office-key office.pem --broker 127.0.0.1 --reason wheelchair
    """
    _send(ordering, lambda common: Release(portal=portal, reason=reason, **common), portal, reason)


@command.command()
@_with_ordering
@click.argument("phrase", type=click.Choice(SAYABLE), metavar="PHRASE")
@with_database
def say(ordering: _Ordering, phrase: str) -> None:
    """Have the gate say a phrase of its packs, in its languages. A wrong PHRASE is answered by those there are.

    \b
    menshen office command say north-gate guard-comes --by li --office-key office.pem --broker 127.0.0.1
    """
    _send(ordering, lambda common: Say(phrase=phrase, **common), phrase)


@command.command()
@_with_ordering
@click.argument("alarm", metavar="ALARM")
@click.option("--note", default="", metavar="WORDS", help="What was done, for the record.")
@with_database
def acknowledge(ordering: _Ordering, alarm: str, note: str) -> None:
    """Acknowledge an alarm at the gate by its id of 32 hexadecimal digits: its sound stops there.

    \b
    menshen office command acknowledge north-gate 00112233445566778899aabbccddeeff --by li --office-key office.pem \\
        --broker 127.0.0.1 --note "the wind"
    """
    _send(ordering, lambda common: Acknowledge(alarm=alarm, note=note, **common), alarm, note)


@command.command("list")
@click.option("--gate", "gate_id", metavar="ID", help="Of this gate only.")
@click.option("--count", default=20, show_default=True, type=click.IntRange(1), help="So many, the newest first.")
@with_database
def list_orders(gate_id: str | None, count: int) -> None:
    """List who ordered what, when (in the office's time zone), and what became of it.

    \b
    menshen office command list --gate north-gate
    """
    from django.utils.timezone import localtime

    from central.orders.models import Order

    orders = Order.objects.select_related("by") if gate_id is None else Order.objects.filter(gate_id=gate_id)
    for each in orders[:count]:
        at, who = localtime(each.ordered_at), each.by.get_username()
        click.echo(
            f"{at:%Y-%m-%d %H:%M:%S %Z}\t{each.gate_id}\t{who}\t{each.action} {each.target}\t{each.note}\t{_became(each)}"
        )


def _send(ordering: _Ordering, make: Callable[[Mapping[str, Any]], Command], target: str = "", note: str = "") -> None:
    from central.orders.models import Outcome
    from central.orders.sending import Wish, send

    gate, user = _gate(ordering.gate_id), _user(ordering.by)
    try:
        key = read_key_file(ordering.office_key)
        order = send(ordering.broker, gate, user, Wish(make=make, target=target, note=note), key)
    except (KeyFileError, NoCommand) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{gate.pk}: {_became(order)}")
    codes = {Outcome.EXECUTED: 0, Outcome.REFUSED: REFUSED}
    raise SystemExit(codes.get(Outcome(order.outcome), NOT_DELIVERED))


def _gate(gate_id: str) -> "Gate":
    from central.registry.models import Gate

    gate = Gate.objects.filter(pk=gate_id, admitted=True).first()
    if gate is None:
        raise click.ClickException(f"{gate_id}: no gate that is admitted here: see `menshen office gate list`")
    return gate


def _user(name: str) -> "User":
    from central.accounts.models import User

    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise click.ClickException(f"{name}: no user of this office: see `menshen office user add --help`")
    return user


def _became(order: "Order") -> str:
    from central.web.words import word

    told = word("order", order.outcome)
    return f"{told}: {word('reason', order.reason)}" if order.reason else told
