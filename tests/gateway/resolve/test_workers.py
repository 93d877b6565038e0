"""The workers: a queue that is full refuses aloud, and a fault of ours tells nothing of what was scanned."""

import logging
import queue
import threading
from pathlib import Path

import pytest

from gateway.core.events import CredentialResolved, Outcome, Verdict
from gateway.core.moment import Moment
from gateway.credentials.anchors import Anchors
from gateway.directory import Directory
from gateway.resolve import Resolver, ResolveWorkers, Scheme, Trust
from gateway.resolve.scheme import refused
from gateway.resolve.workers import WAITING
from sync.contract.records import Direction

NOW = Moment(mono_ms=1_000, at_ms=1_800_000_000_000)
WAIT_S = 15.0


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return Trust(site="s", anchors=Anchors, directory=Directory(tmp_path / "d.sqlite"), hash_key=b"k" * 32)


def test_scans_beyond_what_can_wait_are_for_the_guard_and_none_is_lost(
    trust: Trust, caplog: pytest.LogCaptureFixture
) -> None:
    go = threading.Event()

    def resolve(text: str, trust: Trust, now: Moment) -> Verdict:
        go.wait(WAIT_S)
        return refused("expired", "text", text)

    answers: queue.Queue[CredentialResolved] = queue.Queue()
    workers = ResolveWorkers(Resolver(trust, [Scheme("text", lambda _: True, resolve)]), answers.put, threads=1)
    workers.start()
    for number in range(WAITING + 1 + 3):
        workers.text(f"text {number}", "camera", Direction.ENTRY, NOW)
    refusals = [answers.get(timeout=WAIT_S).verdict for _ in range(3)]
    assert {(each.outcome, each.reason, each.kind) for each in refusals} == {(Outcome.UNCHECKED, "too-many", "text")}
    go.set()
    told = [answers.get(timeout=WAIT_S).verdict.credential for _ in range(WAITING + 1)]
    workers.stop()
    assert told == [f"text {number}" for number in range(WAITING + 1)]
    assert [record.getMessage() for record in caplog.records] == [
        "camera: more scans than can be resolved; they are for the guard"
    ]


def test_a_fault_is_logged_without_what_was_scanned(trust: Trust, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def fails(text: str, trust: Trust, now: Moment) -> Verdict:
        int(text)  # its message quotes the text
        raise AssertionError

    answers: queue.Queue[CredentialResolved] = queue.Queue()
    workers = ResolveWorkers(Resolver(trust, [Scheme("text", lambda _: True, fails)]), answers.put, threads=1)
    workers.start()
    workers.text("s3cret", "camera", Direction.ENTRY, NOW)
    verdict = answers.get(timeout=WAIT_S).verdict
    workers.stop()
    assert (verdict.outcome, verdict.reason) == (Outcome.UNCHECKED, "resolver-failed")
    assert "s3cret" not in caplog.text
    assert "camera: resolving failed: ValueError in test_workers.py, line " in caplog.text
    assert "(fails)" in caplog.text
