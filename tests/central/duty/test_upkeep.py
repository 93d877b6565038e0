"""The rosters are brought up to the time beside ingest, without anybody saving anything."""

import threading
from datetime import datetime

import pytest
from django.utils.timezone import now as office_now

from central.beside import Beside
from central.directory.models import Row
from central.duty import window
from central.duty.models import DutyShift
from central.ingest import process
from tests.central.duty.test_window import HOUR, shift, told

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("database")]


def test_beside_ingest_it_is_looked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    shift("now", office_now()).save()
    DutyShift.objects.update(ends_at=office_now() - window.PAST - HOUR)  # as if so much time had passed
    assert told() == ["now"]
    looked = threading.Event()
    refresh = window.refresh

    def refreshed(now: datetime) -> None:
        refresh(now)
        looked.set()

    monkeypatch.setattr(window, "refresh", refreshed)
    begun: list[Beside] = list(process._beside())
    try:
        assert looked.wait(20)
    finally:
        for each in begun:
            each.stop()
    assert told() == []
    assert Row.objects.get(table="duty").value is None, "gates are told that it is gone"
