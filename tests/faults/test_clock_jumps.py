"""The wall clock jumps by a year, forward and back, in the middle of a visit."""

import os
import signal
import sys
from collections.abc import Callable

from tests.faults.conftest import CALM
from tests.installation import Installation

YEAR_MS = 365 * 86_400_000
# The gate itself; only what the kernel says of the wall clock is ours.
JUMPY = """
import signal, sys, time
from gateway import clock
from menshen.cli import main
jumped = [0]
kernels = time.time_ns
time.time_ns = lambda: kernels() + sum(jumped)
clock.synchronised = lambda: True
for number, year in ((signal.SIGUSR1, 1), (signal.SIGUSR2, -1)):
    signal.signal(number, lambda *_, ns=year * 365 * 86_400 * 10**9: jumped.append(ns))
main()
"""
CLOCK_RECORDS = "SELECT json_extract(CAST(body AS TEXT), '$.step_ms') FROM records WHERE kind = 'clock' ORDER BY seq"
VISITS = """
SELECT json_extract(CAST(body AS TEXT), '$.outcome'), json_extract(CAST(body AS TEXT), '$.duration_ms')
FROM records WHERE kind = 'visit' ORDER BY seq
"""
TIMES = "SELECT seq, mono, at FROM records ORDER BY seq"
DOUBTS = "SELECT clock_doubt FROM entries_entry ORDER BY id"


def test_visits_records_and_office_go_on(install: Callable[..., Installation]) -> None:
    day = install(scenario=CALM)
    day.gate = [sys.executable, "-c", JUMPY, *day.gate[3:]]
    day.configure(visits=0, change=lambda text: text.replace('clock = "scripted"', 'clock = "real"'))
    for name in ("broker", "ingest", "gate"):
        day.start(name)
    day.hear_until("scene-ended", outcome="granted")
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        day.hear_until("presence", present="yes")
        os.kill(day.running["gate"].process.pid, number)
        day.hear_until("alarm", kind="clock")
        day.hear_until("decision", outcome="granted")
        day.hear_until("door", state="released")
        day.hear_until("scene-ended", outcome="granted")
    day.settle()
    assert day.tally().whole
    assert day.ask_office("SELECT count, cleared FROM alarms_alarm WHERE kind = 'clock'") == [(2, 0)]

    steps = [step for (step,) in day.ask_journal(CLOCK_RECORDS)]
    assert [round(step / YEAR_MS, 6) for step in steps] == [1, -1]
    visits = day.ask_journal(VISITS)
    assert len(visits) >= 3
    assert all(outcome == "granted" and 0 <= duration < 60_000 for outcome, duration in visits), visits
    times = day.ask_journal(TIMES)
    assert [seq for seq, _, _ in times] == list(range(1, len(times) + 1))
    assert [mono for _, mono, _ in times] == sorted(mono for _, mono, _ in times)
    assert max(at for _, _, at in times) - min(at for _, _, at in times) > YEAR_MS * 0.99

    # what the page marks with a "≈"
    doubts = [doubt for (doubt,) in day.ask_office(DOUBTS)]
    assert doubts[0] == ""
    assert doubts[1] == "ahead"
