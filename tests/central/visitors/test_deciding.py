"""Who decides about visitors, once; what they leave behind, and for how long."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.utils.timezone import now as office_now

from central.accounts.models import User
from central.bookings.models import Booking, TimeSlot
from central.commands import office as commands
from central.directory.models import Row
from central.holders.models import Card, Holder
from central.registry.models import Gate
from central.visitors.deciding import approve, refuse
from central.visitors.erasing import tidy
from central.visitors.models import LAPSES_AFTER, GateSign, Registration, VisitorPolicy
from tests.central.visitors.conftest import SITE
from tests.central.web.test_alarms import text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]


@pytest.fixture
def waiting(address: str) -> Registration:
    return a_visitor()


def a_visitor(number: int = 0, **values: object) -> Registration:
    given = {"name": f"王{number}", "phone": "13800138000", "whom": "3-501", "made_at": office_now()} | values
    gate = Gate.objects.get(pk="north-gate")
    return Registration.objects.create(form=f"{number:016x}", site=SITE, gate=gate, **given)


def test_one_tap_lets_in_or_refuses_and_the_second_says_it_was_done(
    office: Client, waiting: Registration, key: Path
) -> None:
    page = text(office.get("/visitors/").content)
    assert "王0 Whom 3-501 Phone number 13800138000" in page
    assert "王0 has a pass now." in text(office.post("/visitors/decide/", {"approve": waiting.pk}, follow=True).content)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.decided_by.get_username() if waiting.decided_by else "") == ("approved", "li")
    again = text(office.post("/visitors/decide/", {"refuse": waiting.pk}, follow=True).content)
    assert "was decided already" in again and "Approved li" in again
    other = a_visitor(1)
    assert "王1 was refused." in text(office.post("/visitors/decide/", {"refuse": other.pk}, follow=True).content)
    assert Holder.objects.count() == 1
    for bad in ("", "x", "9" * 30, "-1", "999"):
        assert office.post("/visitors/decide/", {"approve": bad}).status_code == 404


def test_a_pass_is_ended_at_every_gate(office: Client, waiting: Registration, key: Path) -> None:
    assert "decided already" in text(office.post("/visitors/decide/", {"end": waiting.pk}, follow=True).content)
    approve(waiting.pk, None, office_now())
    assert "End now" in text(office.get("/visitors/").content)
    assert "王0 has ended, at every gate" in text(
        office.post("/visitors/decide/", {"end": waiting.pk}, follow=True).content
    )
    waiting.refresh_from_db()
    assert waiting.stands(office_now()) == "over" and "End now" not in text(office.get("/visitors/").content)
    rows = Row.objects.filter(table="revoked", key=waiting.pass_id).exclude(value=None)
    assert rows.exists()
    tidy(office_now() + timedelta(days=30))
    assert not rows.exists()


def test_nobody_decides_without_a_login_a_token_or_a_key(client: Client, clerk: User, waiting: Registration) -> None:
    assert client.post("/visitors/decide/", {"approve": waiting.pk})["Location"].startswith("/login/")
    guarded = Client(enforce_csrf_checks=True)
    guarded.force_login(clerk)
    assert guarded.post("/visitors/decide/", {"approve": waiting.pk}).status_code == 403
    client.force_login(clerk)
    assert "menshen office visitors key" in text(client.get("/visitors/").content)
    assert "No pass can be made" in text(client.post("/visitors/decide/", {"approve": waiting.pk}, follow=True).content)
    waiting.refresh_from_db()
    assert waiting.state == "waiting" and not Holder.objects.exists()


def test_two_who_decide_at_once_decide_once(waiting: Registration, key: Path) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("the test's own transaction holds the only writer's place")
    done = [approve(waiting.pk, None, office_now()), approve(waiting.pk, None, office_now())]
    assert done == [True, False]


@pytest.mark.django_db(transaction=True)
def test_two_threads_that_decide_at_once_decide_once(address: str, key: Path) -> None:
    found, done = a_visitor(), []

    def decide(work: object) -> None:
        try:
            done.append(work(found.pk, None, office_now()))  # type: ignore[operator]
        finally:
            connection.close()

    threads = [threading.Thread(target=decide, args=(work,)) for work in (approve, refuse, approve, refuse)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(done) == [False, False, False, True]
    assert Holder.objects.count() == (Registration.objects.get().state == "approved")


def test_a_slot_that_is_full_by_now_is_told_to_the_clerk(office: Client, waiting: Registration, key: Path) -> None:
    day = (office_now() + timedelta(days=1)).replace(hour=4, minute=0, second=0, microsecond=0)
    TimeSlot.objects.create(site=SITE, begins="00:00", ends="23:59", places=1)
    Registration.objects.update(slot_begins=day, slot_ends=day + timedelta(hours=1))
    taken = Holder.objects.create(site=SITE, reference="h-1")
    Booking.objects.create(site=SITE, holder=taken, begins=day, ends=day + timedelta(hours=1))
    assert "is full: 1 of 1" in text(office.post("/visitors/decide/", {"approve": waiting.pk}, follow=True).content)
    waiting.refresh_from_db()
    assert waiting.state == "waiting" and Holder.objects.count() == 1


def test_what_nobody_answers_lapses(waiting: Registration, key: Path) -> None:
    late = waiting.made_at + LAPSES_AFTER + timedelta(seconds=1)
    assert not approve(waiting.pk, None, late)
    tidy(late)
    waiting.refresh_from_db()
    assert waiting.state == "lapsed"


def test_after_so_many_days_nothing_of_a_visitor_is_left(waiting: Registration, clerk: User, key: Path) -> None:
    VisitorPolicy.objects.update(keep_days=3, hours=5)
    approve(waiting.pk, clerk, waiting.made_at)
    a_visitor(1, made_at=waiting.made_at)
    kept = Registration.objects.get(pk=waiting.pk)
    assert kept.holder is not None and kept.ends is not None
    Booking.objects.create(site=SITE, holder=kept.holder, begins=kept.ends, ends=kept.ends + timedelta(hours=1))
    kind = ContentType.objects.get_for_model(Holder)
    LogEntry.objects.create(
        user=clerk, content_type=kind, object_id=str(kept.holder.pk), object_repr=str(kept.holder), action_flag=CHANGE
    )
    assert tidy(waiting.made_at + timedelta(days=3, seconds=1)) == 1, "the one who was never let in"
    assert tidy(kept.ends + timedelta(days=3) - timedelta(seconds=1)) == 0
    assert tidy(kept.ends + timedelta(days=3, seconds=1)) == 1
    assert not Holder.objects.exists() and not Booking.objects.exists() and not Registration.objects.exists()
    assert not Row.objects.exclude(value=None).filter(table__in=["holder", "booking"]).exists()
    assert LogEntry.objects.get().object_repr == kept.holder.reference


def test_one_who_was_given_a_card_loses_the_name(waiting: Registration, key: Path) -> None:
    approve(waiting.pk, None, waiting.made_at)
    holder = Holder.objects.get()
    Card.objects.create(site=SITE, uid="04A1B2C3", holder=holder)
    tidy(waiting.made_at + timedelta(days=60))
    assert [each.name for each in Holder.objects.all()] == [""] and not Registration.objects.exists()


def test_it_is_deleted_by_command_too(waiting: Registration) -> None:
    Registration.objects.update(made_at=office_now() - timedelta(days=30))
    done = CliRunner().invoke(commands, ["visitors", "erase"])
    assert (done.exit_code, done.output) == (0, "1 registration(s) deleted\n")


def test_the_key_is_made_once_taken_from_a_file_and_never_written_over(tmp_path: Path, office_folder: Path) -> None:
    path = office_folder / "passes.key"
    try:
        made = CliRunner().invoke(commands, ["visitors", "key"])
        assert made.exit_code == 0 and len(made.output.strip()) == 64
        assert path.stat().st_mode & 0o777 == 0o600
        assert CliRunner().invoke(commands, ["visitors", "key"]).output == made.output
        again = CliRunner().invoke(commands, ["visitors", "key", "--from", str(path)])
        assert again.exit_code == 1 and "never written over" in again.output
    finally:
        path.unlink()
    missing = CliRunner().invoke(commands, ["visitors", "key", "--from", str(tmp_path / "none.pem")])
    assert missing.exit_code == 1 and "none.pem" in missing.output


def test_only_staff_makes_and_renews_signs(client: Client, clerk: User, address: str) -> None:
    client.force_login(clerk)
    assert "访客登记" in client.get("/visitors/sign/north-gate/").content.decode()
    assert client.post("/visitors/sign/north-gate/renew/").status_code == 403
    clerk.user_permissions.add(Permission.objects.get(codename="change_gatesign"))
    number = GateSign.objects.get().number
    assert client.post("/visitors/sign/north-gate/renew/").status_code == 302
    assert GateSign.objects.get().number != number
    assert client.get(address).status_code == 404, "the old one is worthless"
    assert client.get("/visitors/sign/none/").status_code == 404


def test_the_sites_wishes_are_for_staff_and_within_bounds(client: Client) -> None:
    page = "/admin/visitors/visitorpolicy/add/"
    client.force_login(User.objects.create(username="wu", is_staff=True))
    assert client.get(page).status_code == 403
    client.force_login(User.objects.create(username="li", is_staff=True, is_superuser=True))
    given = {"site": SITE, "decides": "auto", "hours": "12", "keep_days": "14"}
    for bad in (
        {"hours": "0"},
        {"hours": "73"},
        {"keep_days": "0"},
        {"address": "javascript:alert(1)"},
        {"decides": "x"},
    ):
        assert "errorlist" in client.post(page, given | bad).content.decode()
    assert client.post(page, given).status_code == 302 and VisitorPolicy.objects.get().decides == "auto"
