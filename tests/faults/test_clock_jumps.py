"""The wall clock jumps by a year, forward and back, in the middle of a visit; and a gate whose clock nobody has set asks the
office."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from menshen.demo.gate import GATE
from sync.contract.office_time import decode_when, encode_told
from sync.contract.topics import Channel, topic
from sync.keyfiles import read_key_file
from sync.log.messages import tag_of
from sync.mqtt import MqttLink
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
SHOWN = "SELECT at, shown_at, clock_doubt, CAST(strftime('%s', received_at) AS INTEGER) FROM entries_entry ORDER BY id"


def test_visits_records_and_office_go_on(install: Callable[..., Installation]) -> None:
    day = install(scenario=CALM)
    day.gate = [sys.executable, "-c", JUMPY, *day.gate[3:]]
    day.configure(visits=0, change=_real)
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

    # the office knows better: by the monotonic clock of the boot, all of it was now
    shown = day.ask_office(SHOWN)
    assert any(at - shown_at > YEAR_MS * 0.99 for at, shown_at, _, _ in shown)
    assert all(doubt == "" for _, _, doubt, _ in shown)
    assert all(abs(shown_at / 1000 - received_s) < 300 for _, shown_at, _, received_s in shown)
    assert [shown_at for _, shown_at, _, _ in shown] == sorted(shown_at for _, shown_at, _, _ in shown)


# A gate on a machine that was switched on a moment ago, and again for each `boot`. It writes down what nobody can know there:
# at which Unix ms the monotonic clock stood at 0.
SWITCHED_ON = """
import signal, time
from pathlib import Path
from gateway import clock, parts
from menshen.cli import main
real, kernels = time.clock_gettime_ns, time.time_ns
began = real(time.CLOCK_BOOTTIME)
time.clock_gettime_ns = lambda which: real(which) - (began if which == time.CLOCK_BOOTTIME else 0)
Path({truth!r}).write_text(str((kernels() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)) // 10**6))
parts.boot_id = lambda: bytes([{boot}]) * 16
clock.synchronised = lambda: {synchronised}
jumped = [{wrong_s} * 10**9]
time.time_ns = lambda: kernels() + sum(jumped)
for number, hours in ((signal.SIGUSR1, 1), (signal.SIGUSR2, -2)):
    signal.signal(number, lambda *_, ns=hours * 3600 * 10**9: jumped.append(ns))
main()
"""
BOOTS = """
SELECT e.boot, e.mono, s.shown_at, s.clock_doubt, b.least, b.most
FROM entries_entry s JOIN ingest_record e ON e.id = s.record_id JOIN entries_boottime b ON b.id = s.boot_id ORDER BY s.record_id
"""
CLOSE_MS = 2_000  # half of what question and answer may take here


def test_a_clock_that_nobody_has_set_is_dated_by_the_office(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    day = install(scenario=CALM)
    arguments = day.gate[3:]
    day.configure(visits=0, change=_real)

    def switch_on(boot: int, *, synchronised: bool = False) -> None:
        program = SWITCHED_ON.format(
            truth=str(tmp_path / f"truth-{boot}"),
            boot=boot,
            synchronised=synchronised,
            wrong_s=0 if synchronised else -YEAR_MS // 1000,
        )
        day.gate = [sys.executable, "-c", program, *arguments]

    def come_in() -> None:
        day.catch_up()
        day.hear_until("scene-ended", outcome="granted")

    # nobody is reached: a boot that knows the time, and two that do not; in the first of these it jumps to and fro
    switch_on(1, synchronised=True)
    day.start("gate")
    come_in()
    day.kill("gate")
    for boot, jumps in ((2, (signal.SIGUSR1, signal.SIGUSR2)), (3, ())):
        switch_on(boot)
        day.start("gate")
        come_in()
        for number in jumps:
            os.kill(day.running["gate"].process.pid, number)
            come_in()
        day.kill("gate")

    # somebody is
    switch_on(4)
    day.start("broker")
    day.start("ingest")
    day.start("gate")
    day.hear_until("scene-ended", outcome="granted")
    with office_time(day):
        told = "SELECT count(*) FROM records WHERE kind = 'clock' AND clock AND boot = ?"
        day.wait_until(
            "the office has said what time it is", lambda: bool(day.ask_journal(told, bytes([4]) * 16)[0][0])
        )
        come_in()
        switch_on(5)
        day.settle(change=_real)
    assert day.tally().whole

    truth = {boot: int((tmp_path / f"truth-{boot}").read_text()) for boot in (1, 2, 3, 4)}
    rows = [(boot[0], *rest) for boot, *rest in day.ask_office(BOOTS)]
    assert [boot for boot, *_ in rows] == sorted(boot for boot, *_ in rows)
    assert {boot for boot, *_ in rows} == {1, 2, 3, 4}
    for boot, mono, shown_at, doubt, least, most in rows:
        written = truth[boot] + mono
        if boot in (1, 4):
            assert doubt == ""
            assert abs(shown_at - written) <= CLOSE_MS
        else:
            assert (shown_at, doubt) == (None, "untrusted")
            assert least + mono - CLOSE_MS <= written <= most + mono + CLOSE_MS
            assert most - least < 300_000, "no wider than from the boot before it to the one after it"
    trusted = day.ask_journal("SELECT clock FROM records WHERE boot = ? ORDER BY seq", bytes([4]) * 16)
    assert [bool(clock) for (clock,) in (trusted[0], trusted[-1])] == [False, True]


def _real(text: str) -> str:
    return text.replace('clock = "scripted"', 'clock = "real"')


@contextmanager
def office_time(day: Installation) -> Iterator[None]:
    """An office that answers the one question, by the key that the gate pins."""
    key = read_key_file(day.folder / "office.pem")
    link = MqttLink("127.0.0.1", day.port, client_id="office-time")

    def answer(_topic: str, payload: bytes) -> None:
        if tag_of(payload) == "when":
            now_ms = time.time_ns() // 1_000_000
            link.publish(topic(GATE, Channel.DOWN), encode_told(GATE, decode_when(payload), now_ms, key))

    link.subscribe(topic(GATE, Channel.UP), answer)
    link.start()
    try:
        yield
    finally:
        link.stop()
