"""What anybody may publish at the broker, and a gate that the office does not know."""

import random
from collections.abc import Callable

import pytest
from paho.mqtt import publish

from menshen.demo.gate import GATE
from menshen.demo.processes import menshen, run_once
from sync.contract.topics import Channel, topic
from tests.faults.conftest import CALM
from tests.installation import Installation

HUGE = 50 * 1024 * 1024
RECORDS = "SELECT count(*) FROM ingest_record"


def throw(day: Installation, channel: Channel, *payloads: bytes) -> None:
    """Publish them; the broker has confirmed each when this returns."""
    for payload in payloads:
        publish.single(topic(GATE, channel), payload, qos=1, hostname="127.0.0.1", port=day.port)


def test_a_gate_that_the_office_does_not_know_waits_and_loses_nothing(install: Callable[..., Installation]) -> None:
    day = install(scenario=CALM, known=False)
    for name in ("broker", "ingest", "gate"):
        day.start(name)
    day.hear_until("scene-ended", outcome="granted")
    day.wait_until("the office has heard of it", lambda: bool(day.ask_office("SELECT 1 FROM registry_gate")))
    day.catch_up()
    day.hear_until("scene-ended", outcome="granted")
    assert day.ask_office("SELECT id, admitted FROM registry_gate") == [(GATE, 0)]
    assert day.ask_office(RECORDS) == [(0,)]
    assert day.ask_journal("SELECT acked_seq, (SELECT count(*) FROM records) > 6 FROM meta") == [(0, 1)]

    assert "admitted" in run_once("admit", menshen("office", "gate", "admit", GATE), day.env)
    day.settle()
    assert day.tally().whole
    assert day.tally().visits >= 2


@pytest.mark.timeout(180)
def test_random_bytes_and_50_mb_change_nothing(install: Callable[..., Installation]) -> None:
    day = install(scenario=CALM)
    for name in ("broker", "ingest", "gate"):
        day.start(name)
    day.hear_until("scene-ended", outcome="granted")
    gate, ingest = day.running["gate"].process.pid, day.running["ingest"].process.pid
    noise = random.Random(8)
    huge = noise.randbytes(1024) * (HUGE // 1024)
    for channel in Channel:
        throw(day, channel, *(noise.randbytes(noise.randrange(1, 3000)) for _ in range(20)), b"", b"[" * 100_000)
        throw(day, channel, huge)
    dropped = f"a message of {HUGE} bytes was dropped"
    day.wait_until("the gate refuses", lambda: dropped in day.log("gate") and " refused; the last: " in day.log("gate"))
    day.wait_until("the office refuses", lambda: day.log("ingest").count(dropped) == 3)
    assert f"gate {GATE}: 1 message(s) refused; the last: " in day.log("ingest")
    assert "Traceback" not in day.log("gate") + day.log("ingest")

    day.catch_up()
    day.hear_until("scene-ended", outcome="granted")
    assert (day.running["gate"].process.pid, day.running["ingest"].process.pid) == (gate, ingest)
    for child in day.running.values():
        child.check()
    refused = [body for (body,) in day.ask_journal("SELECT body FROM records WHERE kind = 'refused'")]
    assert len(refused) == 1 and b'"malformed"' in refused[0], "a flood is one record a minute"
    day.settle()
    assert day.tally().whole
    assert day.tally().visits == sum(line["what"] == "decision" for line in day.lines) >= 2
    assert day.ask_office("SELECT count(*) FROM alarms_alarm") == [(0,)]
