"""The roster's pages: whoever may; forms, a file, and the page where everybody sees who is on duty."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.timezone import localtime
from django.utils.timezone import now as office_now
from pytest_django import Settings

from central.accounts.models import User
from central.duty.models import DutyShift
from central.holders.importing import plan, take
from central.registry.models import Gate
from sync.contract.records import Shift, ShiftAction
from tests.central.duty.test_window import HOUR, SITE, shift, told
from tests.central.web.making import GateAtWork
from tests.central.web.test_alarms import text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]
FORM = {"site": SITE, "role": "leader", "gate": "", "name": "李明", "phone": "+86 138-0000", "begins_at": "2026-11-27T08:00",
        "ends_at": "2026-11-28T08:00"}  # fmt: skip


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create(username="li", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def gate() -> GateAtWork:
    made = GateAtWork()
    made.visit()
    Gate.objects.update(site=SITE)
    return made


def test_a_shift_is_entered_changed_and_deleted(staff: Client, gate: GateAtWork) -> None:
    begins = f"{localtime(office_now()):%Y-%m-%dT%H:%M}"
    ends = f"{localtime(office_now() + 8 * HOUR):%Y-%m-%dT%H:%M}"
    form = FORM | {"gate": "north-gate", "begins_at": begins, "ends_at": ends}
    assert staff.post("/admin/duty/dutyshift/add/", form).status_code == 302
    mine = DutyShift.objects.get()
    assert f"{localtime(mine.begins_at):%Y-%m-%dT%H:%M}" == begins
    assert told() == ["李明"]
    page = staff.get(f"/admin/duty/dutyshift/{mine.pk}/change/").content.decode()
    assert 'type="datetime-local"' in page and f'value="{begins}"' in page
    assert staff.post(f"/admin/duty/dutyshift/{mine.pk}/change/", form | {"name": "王"}).status_code == 302
    assert told() == ["王"]
    chosen = {"action": "delete_selected", "_selected_action": [mine.pk], "post": "yes"}
    staff.post("/admin/duty/dutyshift/", chosen)
    assert told() == [] and not DutyShift.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"ends_at": "2026-11-27T08:00"}, "must lie after the begin"),
        ({"ends_at": "2026-12-27T08:00"}, "no more than 7 days"),
        ({"begins_at": "1999-11-27T08:00"}, "before 2000"),
        ({"phone": "call me"}, "digits"),
        ({"gate": "west-gate"}, "is no gate of this site"),
        ({"gate": "../x"}, "a gate&#x27;s id"),
        ({"site": "a b"}, "letters, digits"),
        ({"name": ""}, "required"),
        ({"name": "x" * 65}, "64"),
        ({"role": "king"}, "not one of the available choices"),
        ({"begins_at": "<script>alert(1)</script>"}, "valid date/time"),
    ],
)
def test_what_makes_no_sense_is_told(staff: Client, wrong: dict[str, str], says: str) -> None:
    page = staff.post("/admin/duty/dutyshift/add/", FORM | wrong).content.decode()
    assert says in page and "<script>alert" not in page
    assert not DutyShift.objects.exists()


def test_lists_and_filters(staff: Client) -> None:
    shift("<b>now</b>", office_now()).save()
    shift("later", office_now() + 10 * HOUR, role="leader").save()
    for query, names in (("", ["now", "later"]), ("?when=now", ["now"]), ("?when=later", ["later"]), ("?when=over", []),
                         ("?role__exact=leader", ["later"]), ("?when=nonsense", ["now", "later"]), ("?q=later", ["later"])):  # fmt: skip
        page = staff.get(f"/admin/duty/dutyshift/{query}").content.decode()
        assert "<b>now" not in page
        rows = page.partition("<tbody>")[2].partition("</tbody>")[0]
        assert [name for name in ("now", "later") if f"{name}<" in rows or f"{name}&lt;" in rows] == names, query


FILE = "姓名,岗位,电话,开始时间,结束时间,门岗\n李明,带班领导,13800000000,2026/11/27 08:00,2026-11-28 8:00,\n王五,值守人员,,2026-11-27 08:00,2026-11-27 20:00,north-gate\n"


def test_a_roster_is_taken_from_a_file(gate: GateAtWork) -> None:
    found = plan("duty", SITE, FILE.encode("gb18030"))
    assert (found.refused, len(found.new), found.passed_over) == ([], 2, [])
    take(found)
    assert set(DutyShift.objects.values_list("name", "role", "gate", "phone")) == {
        ("李明", "leader", "", "13800000000"), ("王五", "guard", "north-gate", ""),
    }  # fmt: skip
    assert plan("duty", SITE, FILE.encode()).unchanged == 2
    again = plan("duty", SITE, FILE.replace("20:00", "22:00").encode())
    assert [each.what for each in again.told_changed] == ["until: 2026-11-27 20:00 → 2026-11-27 22:00"]
    take(again)
    assert f"{localtime(DutyShift.objects.get(name='王五').ends_at):%H:%M}" == "22:00"


@pytest.mark.parametrize("begin", ["begins_at", "from", "begins", "开始"])
@pytest.mark.parametrize("end", ["ends_at", "until", "ends", "结束"])
def test_begin_and_end_may_be_called_as_in_the_other_registers(begin: str, end: str) -> None:
    found = plan("duty", SITE, f"name,role,{begin},{end}\nli,guard,2026-11-27  08:00,2026-11-27 20：00\n".encode())
    assert (found.refused, found.passed_over) == ([], [])
    (made,) = found.new
    assert isinstance(made, DutyShift)
    assert (f"{made.begins_at:%H:%M}", f"{made.ends_at:%H:%M}") == ("08:00", "20:00")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("李明,带班领导,,2026-11-27,2026-11-28 08:00,", "a time such as"),
        ("李明,带班领导,,2026-11-27 25:00,2026-11-28 08:00,", "a time such as"),
        ("李明,国王,,2026-11-27 08:00,2026-11-28 08:00,", "duty: one of guard, duty-room, leader, "),
        ("李明,,,2026-11-27 08:00,2026-11-28 08:00,", "This field cannot be blank"),
        (",带班领导,,2026-11-27 08:00,2026-11-28 08:00,", "name: empty, and"),
        ("李明,带班领导,,,2026-11-28 08:00,", "a time such as"),
        ("李明,带班领导,,2026-11-28 08:00,2026-11-27 08:00,", "after the begin"),
        ("李明,带班领导,,2026-11-27 08:00,2026-11-28 08:00,nowhere", "no gate of this site"),
        ("李明,带班领导,=cmd(),2026-11-27 08:00,2026-11-28 08:00,", "digits"),
    ],
)
def test_lines_that_cannot_be_taken_are_named(line: str, says: str) -> None:
    found = plan("duty", SITE, f"{FILE.splitlines()[0]}\n{line}\n".encode())
    assert [(each.line, says in each.what) for each in found.refused] == [(2, True)], found


def test_the_same_shift_twice_in_a_file_is_told(gate: GateAtWork) -> None:
    found = plan("duty", SITE, (FILE + FILE.splitlines()[1] + "\n").encode())
    assert [each.what for each in found.refused] == ["the same as line 2: leave one of them out"]


def test_taking_a_file_needs_the_permissions_for_the_roster(client: Client, gate: GateAtWork) -> None:
    staff = User.objects.create(username="li", is_staff=True)
    staff.user_permissions.add(*Permission.objects.filter(codename__in=("add_holder", "change_holder")))
    client.force_login(staff)
    given: Callable[[], dict[str, object]] = lambda: {  # noqa: E731  a file is read once
        "kind": "duty", "site": SITE, "file": SimpleUploadedFile("a.csv", FILE.encode()),
    }  # fmt: skip
    assert client.post("/admin/import/", given()).status_code == 403
    staff.user_permissions.add(*Permission.objects.filter(content_type__app_label="duty"))
    preview = client.post("/admin/import/", given()).headers["Location"]
    assert client.post(preview, {"take": "1"}).status_code == 302
    assert DutyShift.objects.count() == 2


def test_everybody_sees_who_is_on_duty_and_only_staff_changes_it(client: Client, gate: GateAtWork) -> None:
    client.force_login(User.objects.create(username="clerk"))
    now = office_now()
    shift("李明", now - HOUR, role="leader", phone="13800000000").save()
    shift("<script>alert(1)</script>", now - HOUR, hours=4, gate="north-gate").save()
    shift("over", now - 9 * HOUR).save()
    page = client.get("/duty/").content
    assert "Leader on shift 李明 13800000000" in text(page)
    assert "<script>alert" not in page.decode()
    assert "/admin/duty/" not in page.decode()
    assert client.get("/admin/duty/dutyshift/", follow=True).status_code == 403
    assert "Nobody is on the roster Duty room" in text(page)
    assert "The roster ends Guard · north-gate" in text(page)
    client.cookies["django_language"] = "zh-hans"
    assert "带班领导 李明" in text(client.get("/duty/").content)


def test_a_guard_with_too_little_rest_is_told_by_the_sites_setting(client: Client, settings: Settings) -> None:
    client.force_login(User.objects.create(username="clerk"))
    now = office_now()
    shift("wang", now - 9 * HOUR, gate="north-gate").save()  # until an hour ago
    shift("wang", now + 7 * HOUR, gate="north-gate").save()
    page = client.get("/duty/").content
    assert (
        "Too little rest before Guard · north-gate" in text(page)
        and "wang" in text(page).partition("Too little rest")[2]
    )
    client.cookies["django_language"] = "zh-hans"
    assert "之前休息不足" in text(client.get("/duty/").content)
    settings.GUARDS_REST_H = 8
    assert "之前休息不足" not in text(client.get("/duty/").content)


def test_who_was_really_there_stands_beside_the_roster(client: Client, gate: GateAtWork) -> None:
    client.force_login(User.objects.create(username="clerk"))
    now = office_now()
    shift("李明", now - 2 * HOUR, gate="north-gate").save()
    shift("王五", now - 20 * HOUR, gate="north-gate").save()
    for action in (ShiftAction.BEGUN, ShiftAction.PRESENT, ShiftAction.ABSENT):
        gate.record(Shift(action=action, by="li", note="<b>keys</b>"))
    page = client.get("/duty/").content
    assert "李明 A presence check was not answered li checks answered: 1, not answered: 1" in text(page)
    assert "王五 The gate knows of nobody" in text(page)
    assert "presence check not answered li <b>keys</b>" in text(page) and "<b>keys" not in page.decode()


@pytest.mark.parametrize("site", ["", "south", "nowhere", "\0", "<script>", "x" * 5000])
def test_strange_addresses(client: Client, gate: GateAtWork, site: str) -> None:
    client.force_login(User.objects.create(username="clerk"))
    shift("zhao", office_now(), site="south").save()
    page = client.get("/duty/", {"site": site}).content
    assert ("zhao" in text(page)) is (site == "south") and b"<script>" not in page.replace(b"<script src", b"")
    assert client.get("/duty/page/", {"site": site}).status_code == 200


def test_more_than_gates_are_told_is_told(client: Client) -> None:
    client.force_login(User.objects.create(username="clerk"))
    begins = office_now()
    DutyShift.objects.bulk_create(shift(f"n{each}", begins + each * timedelta(minutes=1)) for each in range(201))
    assert "There are more shifts than gates are told: the first 200 count." in text(client.get("/duty/").content)
