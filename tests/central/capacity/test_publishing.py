"""What stands in a site's directory of its gates' counts."""

import json
from datetime import timedelta

import pytest
from django.utils.timezone import now as office_now

from central.capacity.publishing import publish
from central.directory.models import Directory, Row
from central.holders.models import Holder, PolicyValue
from central.holders.publishing import rebuild
from central.registry.models import Gate

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]
SITE = "garden-court"
NOW = office_now()


def told() -> dict[str, int]:
    rows = Row.objects.filter(directory=SITE, table="elsewhere").exclude(value=None)
    return {row.key: json.loads(bytes(row.value or b""))["inside"] for row in rows}


def version() -> int:
    there = Directory.objects.filter(pk=SITE).first()
    return 0 if there is None else there.version


@pytest.fixture
def gates(db: None) -> None:
    for name, inside in (("north", 5), ("south", 3), ("west", -1)):
        Gate.objects.create(pk=name, admitted=True, site=SITE, inside=inside, boot="b")
    Gate.objects.create(pk="stranger", admitted=False, site=SITE, inside=1000)
    Gate.objects.create(pk="elsewhere", admitted=True, site="other", inside=500)


@pytest.mark.usefixtures("gates")
def test_a_site_that_does_not_count_together_is_left_alone() -> None:
    Holder.objects.create(site=SITE, reference="h-1")
    PolicyValue.objects.create(site=SITE, key="capacity.limit", value="40")
    PolicyValue.objects.create(site=SITE, key="capacity.site_wide", value="false")
    PolicyValue.objects.create(site=SITE, gate="north", key="capacity.site_wide", value='"yes"')
    before = version()
    for second in range(100):
        Gate.objects.filter(pk="north").update(inside=second)
        publish(NOW + timedelta(seconds=second))
    assert (version(), told()) == (before, {})


@pytest.mark.usefixtures("gates")
def test_each_gate_is_told_of_the_others_and_no_oftener_than_every_five_seconds() -> None:
    PolicyValue.objects.create(site=SITE, key="capacity.site_wide", value="true")
    publish(NOW)
    assert told() == {"north": 2, "south": 4, "west": 8}
    before = version()
    for second in range(1, 15):
        Gate.objects.filter(pk="south").update(inside=3 + second)
        publish(NOW + timedelta(seconds=second))
    assert version() == before + 2, "at 5 and at 10 s"
    assert told()["north"] == -1 + 3 + 10
    publish(NOW + timedelta(seconds=15))
    before = version()
    for second in range(15, 55):
        publish(NOW + timedelta(seconds=second))
    assert version() == before, "nothing changed"
    publish(NOW + timedelta(seconds=55))
    assert version() == before + 1, "told again before 120 s are over"


@pytest.mark.usefixtures("gates")
def test_a_gate_that_leaves_is_not_counted_and_one_that_is_offline_is() -> None:
    PolicyValue.objects.create(site=SITE, gate="north", key="capacity.site_wide", value="true")
    publish(NOW)
    Gate.objects.filter(pk="west").update(site="")
    Gate.objects.filter(pk="south").update(said_online=False, last_heard=NOW - timedelta(days=1))
    publish(NOW + timedelta(seconds=6))
    assert told() == {"north": 3, "south": 5}
    PolicyValue.objects.get().delete()
    publish(NOW + timedelta(seconds=12))
    assert told() == {}


@pytest.mark.usefixtures("gates")
def test_a_repair_of_the_directory_leaves_the_counts() -> None:
    PolicyValue.objects.create(site=SITE, key="capacity.site_wide", value="true")
    publish(NOW)
    before = version()
    rebuild(SITE)
    assert version() == before and len(told()) == 3
