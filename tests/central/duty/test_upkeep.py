"""Ingest's own thread brings the rosters up to the time, without anybody saving anything."""

import threading
from datetime import datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils.timezone import now as office_now

from central.directory.models import Row
from central.directory.service import DirectoryService
from central.duty import window
from central.duty.models import DutyShift
from tests.central.duty.test_window import HOUR, shift, told

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("database")]


def test_the_thread_that_answers_gates_looks_again() -> None:
    shift("now", office_now()).save()
    DutyShift.objects.update(ends_at=office_now() - window.PAST - HOUR)  # as if so much time had passed
    assert told() == ["now"]
    looked = threading.Event()

    def refresh(now: datetime) -> None:
        window.refresh(now)
        looked.set()

    service = DirectoryService(Ed25519PrivateKey.generate(), lambda *_: None, lambda *_: None, upkeep=[refresh])
    service.start()
    try:
        assert looked.wait(20)
    finally:
        service.stop()
    assert told() == []
    assert Row.objects.get(table="duty").value is None, "gates are told that it is gone"


def test_one_roster_that_cannot_be_looked_at_does_not_stop_the_service() -> None:
    calls: list[datetime] = []
    failed = threading.Event()

    def fails(now: datetime) -> None:
        calls.append(now)
        failed.set()
        raise ValueError("a fault of ours")

    service = DirectoryService(Ed25519PrivateKey.generate(), lambda *_: None, lambda *_: None, upkeep=[fails])
    service.start()
    try:
        assert failed.wait(20)
        service.offer("nobody", b"x")
    finally:
        service.stop()
    assert len(calls) == 1
