"""The cards that were newly seen, day by day: each once for each gate, whatever is sent again."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import localdate

from central.entries.cards import PAGE
from central.entries.models import Entry, SeenCard
from sync.contract.records import CardSeen, Direction, encode_body
from tests.central.ingest.sending import Desk, batch, log_id, raw, record
from tests.central.web.making import GateAtWork

HOSTILE = "<script>alert(1)</script>\u202egnol\x07"


def seen(card: str = "0a0b", **values: Any) -> CardSeen:
    given: dict[str, Any] = {
        "portal": "main", "card": card, "reader": "card-reader", "direction": Direction.ENTRY, "outcome": "valid",
        "reason": "ok",
    }  # fmt: skip
    return CardSeen(**(given | values))


def rows(page: bytes) -> list[str]:
    """The text of each row."""
    found = re.findall(r'<tr id="card-\d+".*?</tr>', page.decode(), re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in found]


def test_a_row_says_it_all_in_both_languages(office: Client, gate: GateAtWork) -> None:
    gate.record(seen(holder="h-0301", outcome="revoked", reason="lost-card"), at_ms=1_700_000_000_000)
    page = office.get("/cards/")
    (row,) = rows(page.content)
    assert row == "2023-11-15 06:13:20 north-gate card-reader In 0a0b h-0301 Withdrawn card reported lost"
    assert b"1 new card on this day" in page.content
    office.cookies["django_language"] = "zh-hans"
    page = office.get("/cards/")
    (row,) = rows(page.content)
    assert row == "2023-11-15 06:13:20 north-gate card-reader 进 0a0b h-0301 已注销 卡已挂失"
    assert "当日新卡 1 张" in page.content.decode()


def test_a_card_leads_to_its_visits(office: Client, gate: GateAtWork) -> None:
    gate.record(seen("0a0b"))
    gate.visit(credential="0a0b", credential_kind="card", holder="h-1")
    gate.visit(credential="ffff", holder="h-2")
    link = re.search(r'<td class="free"><a href="([^"]+)"', office.get("/cards/").content.decode())
    assert link
    page = office.get(unescape(link[1])).content.decode()
    assert "h-1" in page and "h-2" not in page


def test_a_gate_that_is_full_says_so_once(office: Client, gate: GateAtWork) -> None:
    gate.record(seen(full=True))
    (row,) = rows(office.get("/cards/").content)
    assert "no room for more new cards" in row


def test_the_day_is_that_on_which_the_office_heard_of_it(office: Client, gate: GateAtWork) -> None:
    gate.record(seen("0a0b"), at_ms=1_700_000_000_000)
    SeenCard.objects.update(received_at=datetime.now(UTC) - timedelta(days=1))
    gate.record(seen("0c0d"))
    yesterday = localdate() - timedelta(days=1)
    assert "0c0d" in rows(office.get("/cards/").content)[0]
    (row,) = rows(office.get(f"/cards/?day={yesterday}").content)
    assert "0a0b" in row
    page = office.get("/cards/").content.decode()
    assert f"day={yesterday}" in page and 'id="day-after"' not in page
    assert 'id="day-after"' in office.get(f"/cards/?day={yesterday}").content.decode()
    assert "No new card on this day." in office.get("/cards/?day=2001-02-03").content.decode()


def test_pages_and_gates(office: Client, gate: GateAtWork) -> None:
    GateAtWork("south-gate").record(seen("5555"))
    for number in range(PAGE + 2):
        gate.record(seen(f"{number:04x}"))
    first = office.get("/cards/")
    older = re.search(r'id="older" href="([^"]+)"', first.content.decode())
    assert older and len(rows(first.content)) == PAGE and f"{PAGE + 3} new cards".encode() in first.content
    assert len(rows(office.get(unescape(older[1])).content)) == 3
    assert len(rows(office.get("/cards/?gate=south-gate").content)) == 1


def test_it_fills_by_itself(office: Client, gate: GateAtWork) -> None:
    ask = re.search(r'<div id="card-rows" hx-get="([^"]+)"', office.get("/cards/").content.decode())
    assert ask
    assert office.get(unescape(ask[1])).status_code == 204
    gate.record(seen())
    assert len(rows(office.get(unescape(ask[1])).content)) == 1


@pytest.mark.parametrize("query", ["day=x", "day=9999-12-31", "day=0001-01-01", "before=x", "before=²", "gate=%00"])
def test_addresses_that_make_no_sense(office: Client, gate: GateAtWork, query: str) -> None:
    gate.record(seen())
    assert office.get(f"/cards/?{query}").status_code == 200


def test_hostile_text_is_harmless(office: Client, gate: GateAtWork) -> None:
    gate.record(seen(HOSTILE, holder=HOSTILE, reader=HOSTILE, outcome=HOSTILE, reason=HOSTILE, portal=HOSTILE))
    page = office.get("/cards/").content.decode()
    assert "&lt;script&gt;" in page and "<script>alert" not in page and "\u202e" not in page


# what is stored


def test_a_card_is_listed_once_for_each_gate_whatever_log_it_comes_in(db: None) -> None:
    desk = Desk()
    desk.take(batch(record(seen("0a0b"), 1), record(seen("0c0d"), 2)))
    desk.take(batch(record(seen("0a0b"), 1), record(seen("0c0d"), 2)))  # sent again
    desk.take(batch(record(seen("0a0b", reason="expired"), 1), log=log_id(2)))  # by a gate whose memory was put back
    desk.take(batch(record(seen("0a0b"), 1)), gate="south-gate")
    found = SeenCard.objects.order_by("id").values_list("gate", "card", "reason")
    assert list(found) == [
        ("north-gate", "0a0b", "ok"),
        ("north-gate", "0c0d", "ok"),
        ("south-gate", "0a0b", "ok"),
    ]


@pytest.mark.parametrize(
    "body", [None, b"", b"[1]", b'{"portal":"p"}', encode_body(seen()).replace(b'"entry"', b'"up"')]
)
def test_one_that_cannot_be_read_is_shown_as_such(db: None, body: bytes | None) -> None:
    desk = Desk()
    desk.take(batch(raw("card-seen", body, 1), raw("card-seen", body, 2)))
    assert list(SeenCard.objects.values_list("outcome", "card")) == [("unreadable", "")] * 2


# what the entry log shows of a certificate


def test_what_is_kept_of_a_certificate_is_shown(office: Client, gate: GateAtWork) -> None:
    gate.visit(
        credential_kind="eu-certificate",
        facts={"statement": "vaccination", "country": "AT", "name": "test", "x" * 500: HOSTILE},
    )
    page = office.get("/entries/").content.decode()
    text = " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
    assert "EU certificate" in text and "States : vaccination Country : AT Name : test" in text.replace(": ", " : ")
    assert "<script>alert" not in page
    office.cookies["django_language"] = "zh-hans"
    page = office.get("/entries/").content.decode()
    assert "证明内容：疫苗接种" in page and "姓名：test" in page and "欧盟健康证明" in page


def test_a_flood_of_facts_is_cut(gate: GateAtWork) -> None:
    gate.visit(facts={f"fact-{number}": "x" * 10_000 for number in range(5)})
    facts = Entry.objects.get().facts
    assert len(facts) == 5 and max(map(len, facts.values())) <= 200
