"""`menshen office command …`: what cannot be ordered is told in one line, and what was ordered is listed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from django.utils.timezone import override

from central.accounts.models import User
from central.commands import office
from central.orders.models import Order, Outcome
from central.registry.models import Gate
from menshen.keys import make_key_file
from tests.central.ingest.sending import NORTH, NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The office's key, where everything else is in order, too."""
    make_key_file(tmp_path / "office.pem")
    Gate.objects.create(pk=NORTH, admitted=True)
    Gate.objects.create(pk="heard-of")
    User.objects.create_user("li")
    User.objects.create_user("gone", is_active=False)
    return tmp_path / "office.pem"


def run(*words: str) -> Result:
    return CliRunner().invoke(office, ["command", *words])


def order(key: Path, *words: str, by: str = "li") -> Result:
    action, *rest = words
    return run(action, *rest, "--by", by, "--office-key", str(key), "--broker", "127.0.0.1", "--port", "1")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["release", "west-gate"], 1, "west-gate: no gate that is admitted here"),
        (["release", "heard-of"], 1, "heard-of: no gate that is admitted here"),
        (["release", NORTH, "--reason", "r" * 501], 1, "no command"),
        (["acknowledge", NORTH, "the-one-at-the-door"], 1, "no command"),
        (["say", NORTH, "fire"], 2, "guard-comes"),
        (["say", NORTH], 2, "PHRASE"),
        (["unlock", NORTH], 2, "No such command"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_what_cannot_be_ordered(key: Path, words: list[str], code: int, said: str) -> None:
    done = order(key, *words)
    assert (done.exit_code, said in done.output) == (code, True), done.output
    assert not Order.objects.exists()


@pytest.mark.parametrize("by", ["wu", "gone", ""])
def test_only_a_user_of_the_office_orders(key: Path, by: str) -> None:
    done = order(key, "release", NORTH, by=by)
    assert (done.exit_code, "no user of this office" in done.output) == (1, True), done.output


def test_a_key_that_is_none(key: Path) -> None:
    for path, said in ((key.parent / "none.pem", "cannot be read"), (Path(__file__), "holds no private key")):
        done = order(path, "release", NORTH)
        assert (done.exit_code, said in done.output) == (1, True), done.output
    assert not Order.objects.exists()


def test_what_was_ordered_is_listed_the_newest_first(key: Path) -> None:
    user, gate = User.objects.get(username="li"), Gate.objects.get(pk=NORTH)
    outcomes = [(Outcome.SENT, ""), (Outcome.REFUSED, "lockdown"), (Outcome.EXECUTED, "")]
    for number, (outcome, reason) in enumerate(outcomes):
        Order.objects.create(
            pk=f"{number:032x}", gate=gate, by=user, action="release", target="main", note="wheelchair",
            ordered_at=NOW + timedelta(minutes=number), outcome=outcome, reason=reason,
        )  # fmt: skip
    rows = [line.split("\t") for line in run("list").output.splitlines()]
    assert [row[-1] for row in rows] == [
        "Carried out", "Refused by the gate: gate in lockdown", "Sent, no answer yet",
    ]  # fmt: skip
    assert rows[0] == ["2026-03-01 20:02:00 CST", NORTH, "li", "release main", "wheelchair", "Carried out"]
    assert len(run("list", "--count", "1").output.splitlines()) == 1
    assert run("list", "--gate", "heard-of").output == ""


def test_gates_and_orders_are_listed_in_the_offices_time() -> None:
    at = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)
    Gate.objects.create(pk=NORTH, admitted=True, last_heard=at)
    with override(ZoneInfo("Asia/Shanghai")):
        listed = CliRunner().invoke(office, ["gate", "list"]).output
    assert "last heard: 2026-03-02 04:30:00 CST" in listed
    for command in (["gate", "list"], ["command", "list"]):
        assert "in the office's time zone" in " ".join(CliRunner().invoke(office, [*command, "--help"]).output.split())
