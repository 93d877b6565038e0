"""Booked times: what gates are told of them, how full a slot is, from pages and from files."""

import json
import threading
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.utils.timezone import get_default_timezone, localtime
from django.utils.timezone import now as office_now
from hypothesis import given
from hypothesis import strategies as st

from central.accounts.models import User
from central.bookings.models import MOST_OF_ONE, Booking, TimeSlot
from central.bookings.places import Booked, Ledger, ledger, whole_days
from central.bookings.tidying import KEPT, tidy
from central.directory.models import Directory, Row
from central.holders.importing import NotTaken, plan, take
from central.holders.models import Holder
from central.holders.publishing import delete_all, rebuild
from sync.contract.directory import Booking as AtGate
from tests.central.web.test_alarms import text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]
SITE = "garden-court"
ZONE = get_default_timezone()
MONDAY = datetime(2027, 3, 1, tzinfo=ZONE)


def at(hour: int, minute: int = 0, *, day: int = 0) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def told() -> dict[str, list[tuple[int, int]]]:
    """What gates are told, by holder."""
    rows = Row.objects.filter(directory=SITE, table="booking").exclude(value=None)
    found = {row.key: json.loads(bytes(row.value or b"")) for row in rows}
    return {key: [(slot["begins_s"], slot["ends_s"]) for slot in value["slots"]] for key, value in found.items()}


def in_s(*slots: tuple[datetime, datetime]) -> list[tuple[int, int]]:
    return [(int(begins.timestamp()), int(ends.timestamp())) for begins, ends in slots]


@pytest.fixture
def holders(db: None) -> list[Holder]:
    return [Holder.objects.create(site=SITE, reference=f"h-{number}") for number in range(4)]


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create(username="li", is_staff=True, is_superuser=True))
    return client


def test_one_row_holds_all_of_a_holder_whatever_is_done(holders: list[Holder]) -> None:
    first = Booking.objects.create(site=SITE, holder=holders[0], begins=at(9), ends=at(10))
    second = Booking.objects.create(site=SITE, holder=holders[0], begins=at(8), ends=at(9))
    Booking.objects.create(site=SITE, holder=holders[1], begins=at(8), ends=at(9))
    assert told() == {"h-0": in_s((at(8), at(9)), (at(9), at(10))), "h-1": in_s((at(8), at(9)))}
    first.ends = at(11)
    first.save()
    second.delete()
    assert told()["h-0"] == in_s((at(9), at(11)))
    first.holder = holders[2]
    first.save()
    assert told().keys() == {"h-1", "h-2"}
    version = Directory.objects.get().version
    delete_all(list(Booking.objects.select_related("holder")))
    assert told() == {} and Directory.objects.get().version == version + 1
    for row in Row.objects.filter(table="booking").exclude(value=None):
        AtGate(**json.loads(bytes(row.value or b"")))


def test_what_is_over_is_told_no_more_and_forgotten_later(holders: list[Holder]) -> None:
    for day in range(3):
        Booking.objects.create(site=SITE, holder=holders[0], begins=at(8, day=day), ends=at(9, day=day))
    assert tidy(at(8, 59)) == 0
    assert tidy(at(9, day=1)) == 2
    assert told() == {"h-0": in_s((at(8, day=2), at(9, day=2)))}
    version = Directory.objects.get().version
    assert tidy(at(10, day=1)) == 0 and rebuild(SITE).version == version, "a repair finds nothing to mend"
    assert Booking.objects.count() == 3
    tidy(at(10, day=2) + KEPT)
    assert told() == {} and Booking.objects.count() == 0 and rebuild(SITE).version == version + 1


def a_slot(places: int = 2, days: str = "every", begins: int = 9, ends: int = 10) -> TimeSlot:
    return TimeSlot.objects.create(site=SITE, begins=at(begins).time(), ends=at(ends).time(), days=days, places=places)


def test_a_slot_is_full_and_says_so() -> None:
    a_slot()
    there = ledger(SITE, *whole_days(at(0), at(23)))
    there.add(Booked(1, at(9), at(10)))
    there.add(Booked(2, at(8), at(9, 1)))
    with pytest.raises(ValidationError, match=r"09:00.10:00 is full: 2 of 2 places are taken"):
        there.add(Booked(3, at(9, 59), at(12)))
    there.add(Booked(3, at(10), at(11)))  # touches it, and no more
    there.take_back(Booked(1, at(9), at(10)))
    assert [offer.left for offer in there.offers(MONDAY.date())] == [1]


@given(st.lists(st.tuples(st.integers(0, 47), st.integers(1, 20)), max_size=60), st.integers(1, 5))
def test_never_more_than_there_are_places(wanted: list[tuple[int, int]], places: int) -> None:
    slots = [
        TimeSlot(pk=n, site=SITE, begins=at(n).time(), ends=at(n, 59).time(), days=days, places=places)
        for n, days in enumerate(["every", "work", "weekend"])
    ]
    there, taken = Ledger(slots, ()), []
    for number, (hour, length) in enumerate(wanted):
        booked = Booked(number, at(hour), at(hour) + timedelta(hours=length))
        try:
            there.add(booked)
        except ValidationError:
            continue
        taken.append(booked)
    for day in (0, 1):
        for offer in there.offers((MONDAY + timedelta(days=day)).date()):
            inside = [each for each in taken if each.begins < offer.ends and each.ends > offer.begins]
            assert len(inside) == offer.places - offer.left <= places


def test_workdays_and_weekends() -> None:
    a_slot(days="work")
    a_slot(days="weekend", begins=12, ends=13)
    there = ledger(SITE, at(0))
    assert [len(there.offers((MONDAY + timedelta(days=day)).date())) for day in range(7)] == [1] * 7
    assert there.offers((MONDAY + timedelta(days=5)).date())[0].begins.hour == 12


def test_the_page_tells_what_is_left_and_refuses_when_nothing_is(staff: Client, holders: list[Holder]) -> None:
    a_slot()
    path = "/admin/bookings/booking/add/"

    def book(holder: Holder, **values: str) -> str:
        given = {
            "site": SITE, "holder": holder.pk, "begins_0": "2027-03-01", "begins_1": "09:00", "ends_0": "2027-03-01",
            "ends_1": "10:00",
        } | values  # fmt: skip
        return text(staff.post(path, given, follow=True).content)

    assert "09:00–10:00: 1 of 2 places are left" in book(holders[0])
    assert "09:00–10:00: 0 of 2 places are left" in book(holders[1])
    assert "2027-03-01 09:00–10:00 is full: 2 of 2 places are taken" in book(holders[2])
    assert "not within 24 hours" in book(holders[2], ends_0="2027-03-03")
    assert "not within 24 hours" in book(holders[2], ends_1="08:00")
    assert "before 2000 or after 2999" in book(holders[2], begins_0="1999-03-01", ends_0="1999-03-01")
    assert "another site" in book(holders[2], site="other")
    assert Booking.objects.count() == 2 and told().keys() == {"h-0", "h-1"}
    there = Booking.objects.get(holder=holders[0])
    moved = {"begins_0": "2027-03-01", "begins_1": "09:15", "ends_0": "2027-03-01", "ends_1": "09:45"}
    staff.post(f"/admin/bookings/booking/{there.pk}/change/", moved)
    assert told()["h-0"] == in_s((at(9, 15), at(9, 45))), "its own place is no obstacle"
    for name in ("booking", "timeslot"):
        assert staff.get(f"/admin/bookings/{name}/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_two_clerks_who_book_the_last_place_at_once_book_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    a_slot(places=1)
    people = [Holder.objects.create(site=SITE, reference=f"h-{number}") for number in range(2)]
    clerk = User.objects.create(username="li", is_staff=True, is_superuser=True)
    looked, add = threading.Barrier(2), Ledger.add

    def looks(there: Ledger, wanted: Booked) -> None:
        add(there, wanted)
        with suppress(threading.BrokenBarrierError):
            looked.wait(2)  # until both have seen that there is a place; only one can

    def book(holder: Holder) -> None:
        try:
            staff = Client()
            staff.force_login(clerk)
            staff.post(
                "/admin/bookings/booking/add/",
                {
                    "site": SITE, "holder": holder.pk, "begins_0": "2027-03-01", "begins_1": "09:00",
                    "ends_0": "2027-03-01", "ends_1": "10:00",
                },
            )  # fmt: skip
        finally:
            connection.close()

    monkeypatch.setattr(Ledger, "add", looks)
    threads = [threading.Thread(target=book, args=(holder,)) for holder in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert Booking.objects.count() == 1 and len(told()) == 1


def test_a_place_that_was_booked_since_the_file_was_looked_at_is_not_booked_twice(holders: list[Holder]) -> None:
    a_slot(places=1)
    data = b"holder,from,until\nh-0,2027-03-01 09:00,2027-03-01 10:00\n"
    found = plan("bookings", SITE, data)
    assert not found.refused and len(found.new) == 1
    Booking.objects.create(site=SITE, holder=holders[1], begins=at(9), ends=at(10))
    with pytest.raises(NotTaken, match="is full: 1 of 1 places are taken"):
        take(found)
    assert Booking.objects.count() == 1
    moved = plan("bookings", SITE, b"holder,from,until\nh-1,2027-03-01 09:00,2027-03-01 09:30\n")
    take(moved)
    assert told()["h-1"] == in_s((at(9), at(9, 30))), "its own place is no obstacle"


def test_the_page_of_slots_says_how_full_today_is(staff: Client, holders: list[Holder]) -> None:
    day = localtime(office_now()).replace(hour=9, minute=0, second=0, microsecond=0)
    a_slot(places=1)
    assert "1 / 1" in text(staff.get("/admin/bookings/timeslot/").content)
    Booking.objects.create(site=SITE, holder=holders[0], begins=day, ends=day + timedelta(hours=1))
    assert "✕ 0 / 1" in text(staff.get("/admin/bookings/timeslot/").content)
    answer = staff.post(
        "/admin/bookings/timeslot/add/",
        {"site": SITE, "begins": "10:00", "ends": "09:00", "days": "every", "places": "0"},
    )
    assert "not after the begin" in text(answer.content) and "greater than or equal to 1" in text(answer.content)


def test_nobody_holds_more_than_a_gate_takes(staff: Client, holders: list[Holder]) -> None:
    now = office_now()
    for n in range(MOST_OF_ONE):
        begins = now + timedelta(days=n + 1)
        Booking.objects.create(site=SITE, holder=holders[0], begins=begins, ends=begins + timedelta(hours=1))
    given = {
        "site": SITE, "holder": holders[0].pk, "begins_0": "2030-03-01", "begins_1": "09:00", "ends_0": "2030-03-01",
        "ends_1": "10:00",
    }  # fmt: skip
    assert "64 times already" in text(staff.post("/admin/bookings/booking/add/", given).content)
    found = plan("bookings", SITE, b"holder,from,until\nh-0,2030-01-01 09:00,2030-01-01 10:00\n")
    assert "64 times already" in found.refused[0].what


def test_from_a_file_in_both_languages(holders: list[Holder]) -> None:
    a_slot()
    lines = "holder,from,until\n" + "".join(f"h-{n},2027-03-01 09:00,2027-03-01 10:00\n" for n in range(3))
    found = plan("bookings", SITE, lines.encode())
    assert (len(found.new), found.refused_count) == (2, 1)
    assert "is full: 2 of 2" in found.refused[0].what and found.refused[0].line == 4
    chinese = "持有人,开始时间,结束时间\nh-0,2027/3/1 9:00,2027/3/1 10:00\nh-1,2027年3月1日 10:00,2027-03-01T11:00\n"
    found = plan("bookings", SITE, chinese.encode("gb18030"))
    take(found)
    assert told() == {"h-0": in_s((at(9), at(10))), "h-1": in_s((at(10), at(11)))}
    again = plan(
        "bookings",
        SITE,
        b"holder,from,until\nh-0,2027-03-01 09:00,2027-03-01 09:30\nh-1,2027-03-01 10:00,2027-03-01 11:00",
    )
    assert (len(again.new), len(again.changed), again.unchanged) == (0, 1, 1)
    take(again)
    assert told()["h-0"] == in_s((at(9), at(9, 30)))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("h-9,2027-03-01 09:00,2027-03-01 10:00", "no holder h-9"),
        ("h-1,,2027-03-01 10:00", "a time such as"),
        ("h-1,2027-02-30 09:00,2027-03-01 10:00", "a day such as"),
        ("h-1,2027-03-01 24:00,2027-03-02 10:00", "a time such as"),
        ("h-1,2027-03-01 09:60,2027-03-02 10:00", "a time such as"),
        ("h-1,2027-03-01 09:00,2027-03-01 09:00", "not within 24 hours"),
        ("h-1,0001-01-01 00:00,0001-01-01 01:00", "before 2000"),
        ("h-1,9999-12-31 23:00,9999-12-31 23:30", "before 2000 or after"),
        ("h-1,2027-03-01 09:00", "a time such as"),
        (",2027-03-01 09:00,2027-03-01 10:00", "empty, and each line needs one"),
    ],
)
def test_lines_that_cannot_be_taken(holders: list[Holder], line: str, why: str) -> None:
    found = plan("bookings", SITE, f"holder,from,until\n{line}\n".encode())
    assert [why in told.what for told in found.refused] == [True], found.refused
    assert not found.new


def test_pages_need_their_permissions(client: Client) -> None:
    client.force_login(User.objects.create(username="wu", is_staff=True))
    for name in ("booking", "timeslot"):
        assert client.get(f"/admin/bookings/{name}/").status_code == 403
        assert client.post(f"/admin/bookings/{name}/add/").status_code == 403
