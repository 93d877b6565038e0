"""The limit is the whole site's: the second gate refuses because of who came in by the first, and goes by its share without the
office. Real gates, broker and ingest."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from menshen.demo.cast import CARDS
from menshen.demo.gate import GATE
from tests.several_gates import Beside, Site

HOLDERS = "reference,pass_type,registered\nh-0101,resident,yes\nh-0102,resident,yes\n"
COMES = ["arrive", "card {}", "forehead 36.5", "enter"]
SECOND = "second-gate"


@pytest.fixture
def gates(tmp_path: Path) -> Iterator[tuple[Site, Beside]]:
    first = Site(tmp_path, [each.format("resident") for each in COMES])
    second = Beside(first, SECOND, [each.format("resident-2") for each in COMES])
    first.take_csv("holders", HOLDERS)
    cards = f"uid,holder\n{CARDS['resident']},h-0101\n{CARDS['resident-2']},h-0102\n"
    first.take_csv("cards", cards)
    first.set_policy(capacity__limit=2, capacity__site_wide=True, capacity__site_max_age_s=10.0)
    try:
        first.start("broker")
        first.start("ingest")
        yield first, second
    finally:
        second.close()
        first.close()


def elsewhere(site: Site, gate: str) -> int | None:
    """What the directory tells this gate of the others."""
    sql = "SELECT json_extract(CAST(value AS TEXT), '$.inside') FROM directory_row WHERE \"table\" = 'elsewhere' AND key = ?"
    return next((found for (found,) in site.ask_office(sql, gate)), None)


@pytest.mark.timeout(240)
def test_the_second_gate_is_full_because_of_who_came_in_by_the_first(gates: tuple[Site, Beside]) -> None:
    first, second = gates
    for each in gates:  # nobody comes yet
        each.start("gate")
        each.hear_until("ready")
    first.wait_for_newest(GATE, SECOND)
    for each in gates:
        each.stop("gate")
    first.configure(visits=2)
    first.start("gate")
    for _ in range(2):
        first.hear_until("scene-ended", outcome="granted")
    inside = "SELECT inside FROM registry_gate WHERE id = ?"
    first.wait_until("the office knows of two", lambda: first.ask_office(inside, GATE) == [(2,)])
    first.wait_until("the second is told", lambda: elsewhere(first, SECOND) == 2)

    second.configure(visits=0)
    second.start("gate")
    refused = second.hear_until("scene-ended")
    assert refused["outcome"] == "denied", second.log("gate")
    second.hear_until("say", phrase="full")
    reasons = [line.get("reason") for line in second.lines if line["what"] == "decision"]
    assert set(reasons) == {"full"}

    first.kill(
        "ingest"
    )  # the office is gone: what it told counts for 10 s, then the second gate has its share, which is one
    second.hear_until("scene-ended", outcome="granted")
    again = second.hear_until("scene-ended")
    assert again["outcome"] == "denied", "the share is used up"

    first.start("ingest")
    first.wait_until("the office tells again", lambda: elsewhere(first, GATE) == 1)
