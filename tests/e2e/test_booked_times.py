"""Who has booked a time is let in, who has not waits or is sent away: from a clerk's file to the gate's door. Real processes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from menshen.demo.cast import CARDS
from tests.several_gates import Site

COMES = ["arrive", "card {}", "forehead 36.5", "enter"]
OFFICE_ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, [each.format("resident") for each in COMES])
    made.take_csv("holders", "reference,pass_type,registered\nh-0101,resident,yes\n")
    made.take_csv("cards", f"uid,holder\n{CARDS['resident']},h-0101\n")
    try:
        made.start("broker")
        made.start("ingest")
        made.configure(visits=0)
        yield made
    finally:
        made.close()


def booking(begins: timedelta, ends: timedelta) -> str:
    """A clerk's file: from and until, counted from now."""
    now = datetime.now(UTC).astimezone(OFFICE_ZONE)
    return f"holder,from,until\nh-0101,{now + begins:%Y-%m-%d %H:%M},{now + ends:%Y-%m-%d %H:%M}\n"


def reason(site: Site) -> str:
    return site.hear_until("decision")["reason"]


@pytest.mark.timeout(180)
def test_where_a_time_is_needed_only_who_has_booked_it_comes_in(site: Site) -> None:
    site.set_policy(capacity__booked="required")
    site.take_csv("bookings", booking(timedelta(days=1), timedelta(days=1, hours=1)))
    site.start("gate")
    while reason(site) != "no-slot":  # at first the gate has the file that it was set up with
        pass
    site.take_csv("bookings", booking(-timedelta(minutes=1), timedelta(hours=1)))
    site.hear_until("scene-ended", outcome="granted")
    assert site.ask_office("SELECT count(*) FROM bookings_booking WHERE NOT over") == [(2,)]
    site.office_does(
        "from datetime import timedelta\nfrom django.utils.timezone import now\n"
        "from central.bookings.tidying import tidy\ntidy(now() + timedelta(hours=2))"
    )  # as it will be done in two hours
    site.wait_until(
        "no time is booked any more",
        lambda: site.ask_office("SELECT count(*) FROM bookings_booking WHERE over") == [(1,)],
    )
    while reason(site) != "no-slot":
        pass


@pytest.mark.timeout(180)
def test_where_places_are_kept_who_has_booked_need_not_wait_when_it_is_full(site: Site) -> None:
    site.set_policy(capacity__booked="reserved", capacity__limit=1)
    site.start("gate")
    while reason(site) != "full":  # the first comes in, and nobody goes out
        pass
    site.hear_until("say", phrase="full")
    site.take_csv("bookings", booking(-timedelta(minutes=1), timedelta(hours=1)))
    site.hear_until("scene-ended", outcome="granted")
