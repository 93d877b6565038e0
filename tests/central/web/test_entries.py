"""The entry log: what it shows, filters and pages, and that it keeps itself up to date."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from central.entries.views import PAGE
from central.web.words import TABLES
from sync.contract.colours import HealthCode, PassType
from sync.contract.records import ClockChange, Direction, VisitOutcome
from tests.central.web.making import GateAtWork


def rows(page: bytes) -> list[str]:
    """The text of each row."""
    found = re.findall(r'<tr id="entry-\d+".*?</tr>', page.decode(), re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in found]


def test_empty(office: Client) -> None:
    assert b"appears here by itself" in office.get("/entries/").content


def test_a_row_says_it_all_in_words(office: Client, gate: GateAtWork) -> None:
    gate.visit(
        passed=True,
        at_ms=1_700_000_000_000,
        holder="h-0301",
        pass_type=PassType.RETURNEE,
        health_code=HealthCode.GREEN,
        object_c=36.52,
    )
    (row,) = rows(office.get("/entries/").content)
    assert row == ("2023-11-15 06:13:20 north-gate In Granted h-0301 Recent returnee Green 36.5 °C all in order Passed")


def test_a_row_says_it_all_in_chinese(office: Client, gate: GateAtWork) -> None:
    gate.visit(
        at_ms=1_700_000_000_000,
        direction=Direction.EXIT,
        outcome=VisitOutcome.DENIED,
        reasons=("expired", "health-code-red"),
        credential="3f2a",
        pass_type=PassType.VISITOR,
        health_code=HealthCode.RED,
    )
    office.cookies["django_language"] = "zh-hans"
    (row,) = rows(office.get("/entries/").content)
    assert row == "2023-11-15 06:13:20 north-gate 出 拒绝 3f2a 来访 红码 已过期 、 健康码红码 未通过".replace(
        " 、 ", "、"
    )


def test_no_temperature_is_none(office: Client, gate: GateAtWork) -> None:
    gate.visit(outcome=VisitOutcome.REFERRED, reasons=("no-thermometer",))
    (row,) = rows(office.get("/entries/").content)
    assert "°C" not in row
    assert "no working thermometer" in row


@pytest.mark.parametrize("table", ["pass_type", "health_code", "outcome"])
def test_every_colour_has_a_word_and_a_shape_of_its_own(office: Client, gate: GateAtWork, table: str) -> None:
    values = [value for value in TABLES[table] if value != "unreadable"]
    for value in values:
        given = {"pass_type": PassType, "health_code": HealthCode, "outcome": VisitOutcome}[table](value)
        values_of: dict[str, Any] = {table: given}
        gate.visit(**values_of)
    page = office.get("/entries/").content.decode()
    shapes = re.findall(rf'<span class="badge {table}-\S+"><svg[^>]*><path[^>]* d="([^"]+)"/></svg>(.+?)</span>', page)
    if table == "outcome":
        assert len(shapes) == len(values)
    assert len({shape for shape, _ in shapes}) == len({word for _, word in shapes}) == len(values)


NIGHT_MS = 1_700_000_000_000  # 2023-11-15 06:13:20 in Shanghai


def doubtful(gate: GateAtWork) -> None:
    """A visit between two others, in a boot whose clock was never set."""
    gate.visit(at_ms=NIGHT_MS, holder="before")
    gate.reboot()
    gate.visit(at_ms=NIGHT_MS, clock=False, holder="between")
    gate.reboot()
    gate.visit(at_ms=NIGHT_MS + 15 * 60_000, holder="after")


def test_a_time_that_is_not_known_is_shown_with_its_bounds(office: Client, gate: GateAtWork) -> None:
    doubtful(gate)
    after, between, before = rows(office.get("/entries/").content)
    assert before.startswith("2023-11-15 06:13:20 north-gate")
    assert between.startswith("≈ 2023-11-15 06:20 (06:13–06:29) the gate's clock was not set north-gate")
    assert after.startswith("2023-11-15 06:28:20 north-gate")
    office.cookies["django_language"] = "zh-hans"
    assert "≈ 2023-11-15 06:20 (06:13–06:29) 门岗时钟未校准" in rows(office.get("/entries/").content)[1]


def test_bounds_on_several_days_name_them(office: Client, gate: GateAtWork) -> None:
    gate.visit(at_ms=NIGHT_MS)
    gate.reboot()
    gate.visit(at_ms=0, clock=False)
    gate.reboot()
    gate.visit(at_ms=NIGHT_MS + 86_400_000)
    assert "≈ 2023-11-15 18:13 (2023-11-15 06:13–2023-11-16 06:14)" in rows(office.get("/entries/").content)[1]


def test_a_time_learnt_later_dates_what_was_before(office: Client, gate: GateAtWork) -> None:
    gate.visit(at_ms=0, clock=False)
    (row,) = rows(office.get("/entries/").content)
    assert row.startswith("≈ 1970-01-01 08:00 (")
    assert " at the latest) the gate's clock was not set" in row
    office.cookies["django_language"] = "zh-hans"
    assert "(不晚于 " in rows(office.get("/entries/").content)[0]
    gate.record(ClockChange(step_ms=NIGHT_MS, trusted=True), at_ms=NIGHT_MS)
    (row,) = rows(office.get("/entries/").content)
    assert row.startswith("2023-11-15 06:13:19 north-gate")


def test_a_clock_ahead_of_the_office_says_so(office: Client, gate: GateAtWork) -> None:
    gate.visit(at_ms=4_000_000_000_000)
    (row,) = rows(office.get("/entries/").content)
    assert row.startswith("≈ ")
    assert "ahead of the office" in row
    assert "2096" not in row


def test_a_clock_that_was_set_far_is_doubted_until_it_comes_back(office: Client, gate: GateAtWork) -> None:
    day_ms = 86_400_000
    gate.visit(at_ms=NIGHT_MS)
    gate.record(ClockChange(step_ms=-day_ms, trusted=True), at_ms=NIGHT_MS - day_ms + 1000)
    gate.visit(at_ms=NIGHT_MS - day_ms + 2000)
    for row in rows(office.get("/entries/").content):
        assert row.startswith(
            "≈ 2023-11-14 18:13 (2023-11-14 06:13–2023-11-15 06:14) the gate's clock was set meanwhile"
        )
    gate.record(ClockChange(step_ms=day_ms, trusted=True), at_ms=NIGHT_MS + 3000)
    later, first = rows(office.get("/entries/").content)
    assert (later[:19], first[:19]) == ("2023-11-15 06:13:22", "2023-11-15 06:13:20")


def test_a_day_has_what_was_then_and_what_may_have_been(office: Client, gate: GateAtWork) -> None:
    doubtful(gate)
    gate.reboot()
    gate.visit(at_ms=NIGHT_MS + 3 * 86_400_000, holder="later")

    def on(day: str) -> list[str]:
        return [
            re.findall("before|between|after|later", row)[-1]
            for row in rows(office.get(f"/entries/?day={day}").content)
        ]

    assert on("2023-11-15") == ["after", "between", "before"]
    assert on("2023-11-14") == on("2023-11-16") == []
    assert on("2023-11-18") == ["later"]
    assert on("2023-11-99") == on("") == ["later", "after", "between", "before"]
    page = office.get("/entries/?day=2023-11-15").content.decode()
    assert '<input type="date" name="day" value="2023-11-15">' in page
    assert "day=2023-11-15" in page[page.index('id="entry-rows"') :][:200]


def test_a_time_that_no_calendar_holds(office: Client, gate: GateAtWork) -> None:
    for at_ms in (-(2**60), -(2**63) + 1, 2**63 - 1):
        gate.reboot()
        gate.visit(at_ms=at_ms)
    ahead, nonsense, early = rows(office.get("/entries/").content)
    assert early.startswith(f"{-(2**60)} ms north-gate")
    assert nonsense.startswith("≈ ")
    assert "the gate's clock was not set" in nonsense
    assert "ahead of the office" in ahead


def test_hostile_text_is_harmless(office: Client, gate: GateAtWork) -> None:
    script = "<script>alert(1)</script>\u202egnol\x07"
    gate.visit(holder=script, reasons=('"><img src=x onerror=alert(1)>', "not-a-word-we-know"), credential_kind="'")
    page = office.get("/entries/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;�gnol�" in page
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert "not-a-word-we-know" in page


def test_a_visit_of_another_version_is_shown_all_the_same(office: Client, gate: GateAtWork) -> None:
    gate.visit(outcome="teleported")
    (row,) = rows(office.get("/entries/").content)
    assert "Unreadable" in row


def test_newest_by_arrival_first_and_pages_by_id(office: Client, gate: GateAtWork) -> None:
    for number in range(PAGE + 3):
        gate.visit(holder=f"h-{number:04}", at_ms=1_800_000_000_000 - number * 1000)
    first = office.get("/entries/")
    assert len(rows(first.content)) == PAGE
    assert f"h-{PAGE + 2:04}" in rows(first.content)[0]
    older = re.search(r'id="older" href="([^"]+)"', first.content.decode())
    assert older
    second = office.get(unescape(older[1]))
    assert [re.search(r"h-\d{4}", row)[0] for row in rows(second.content)] == ["h-0002", "h-0001", "h-0000"]  # type: ignore[index]  # it is in every row
    assert b'id="older"' not in second.content
    assert b'id="newest"' in second.content


def test_filters(office: Client, gate: GateAtWork) -> None:
    south = GateAtWork("south-gate")
    gate.visit(holder="h-0101")
    south.visit(holder="h-0102", outcome=VisitOutcome.DENIED, reasons=("revoked",))
    south.visit(credential="9a8b", outcome=VisitOutcome.DENIED, reasons=("unknown-card",))

    def shown(query: str) -> int:
        return len(rows(office.get(f"/entries/?{query}").content))

    assert shown("gate=south-gate") == 2
    assert shown("outcome=denied") == 2
    assert shown("q=h-01") == 2
    assert shown("q=9A8B") == 1
    assert shown("q=unknown card") == 1
    assert shown("q=in order") == 1
    assert shown("q=h-0102&gate=north-gate") == 0
    office.cookies["django_language"] = "zh-hans"
    assert shown("q=未知的卡") == 1
    page = office.get("/entries/?q=h-9&outcome=denied").content.decode()
    assert "没有符合条件的记录" in page
    assert 'value="h-9"' in page
    assert '<option value="denied" selected>' in page


@pytest.mark.parametrize(
    "query", ["before=x", "before=-1", "before=99999999999999999999", "before=²", "gate=%00", "q=%25"]
)
def test_addresses_that_make_no_sense(office: Client, gate: GateAtWork, query: str) -> None:
    gate.visit(holder="h-0101")
    assert office.get(f"/entries/?{query}").status_code == 200


def test_it_is_asked_for_again_and_answered_only_when_there_is_news(office: Client, gate: GateAtWork) -> None:
    gate.visit(holder="h-0101")
    page = office.get("/entries/?q=h-0").content.decode()
    ask = re.search(r'<div id="entry-rows" hx-get="([^"]+)" hx-trigger="every 2s" hx-swap="outerHTML">', page)
    assert ask
    address = unescape(ask[1])
    assert "q=h-0" in address
    assert office.get(address).status_code == 204
    gate.visit(holder="h-0102")
    answer = office.get(address)
    assert len(rows(answer.content)) == 2
    assert address not in unescape(answer.content.decode())
    gate.visit(holder="x-0103")
    again = re.search(r'hx-get="([^"]+)"', answer.content.decode())
    assert again
    assert office.get(unescape(again[1])).status_code == 204
