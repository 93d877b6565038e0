"""The directory's pages: whoever may, and what is saved there stands in the directory and is what gates read."""

import json
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from unittest import mock

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from central.accounts.models import User
from central.directory.models import Directory, Row
from central.holders.models import MODES, Card, Code, Holder, HolderStatus, ModeOrder
from central.holders.order_admin import GOOD_FOR_S
from central.registry.models import Gate
from gateway.directory import make_tables
from gateway.directory_rows import put
from sync.log.keyed import Row as Sent
from tests.central.web.making import GateAtWork

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]
SITE = "garden-court"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create(username="li", is_staff=True, is_superuser=True))
    return client


def standing() -> dict[str, object]:
    """What stands in the directory, by table/key."""
    rows = Row.objects.filter(directory=SITE).exclude(value=None)
    return {f"{row.table}/{row.key}": json.loads(bytes(row.value or b"null") or b"null") for row in rows}


def strange_at_a_gate() -> int:
    """How many of the rows a gate does not understand."""
    rows = [
        Sent(row.table, row.key, bytes(row.value))
        for row in Row.objects.filter(directory=SITE)
        if row.value is not None
    ]
    with closing(sqlite3.connect(":memory:")) as connection:
        make_tables(connection)
        return put(connection, rows, fresh=True).strange


def test_only_staff_comes_in_and_by_the_offices_own_login(client: Client) -> None:
    assert client.get("/admin/").headers["Location"].startswith("/admin/login/")
    assert client.get("/admin/login/?next=/admin/").headers["Location"] == "/login/?next=/admin/"
    client.force_login(User.objects.create(username="clerk"))
    for path in ("/admin/", "/admin/holders/card/", "/admin/import/"):
        there = client.get(path, follow=True)
        assert there.status_code == 403 and "--staff" in there.content.decode()
    client.force_login(User.objects.create(username="new", is_staff=True, is_superuser=True, must_change_password=True))
    assert client.get("/admin/").headers["Location"] == "/password/"


@pytest.mark.parametrize(("language", "word"), [("zh-hans", "挂失"), ("en", "Report lost")])
def test_pages_are_in_the_language_of_who_looks(staff: Client, language: str, word: str) -> None:
    Card.objects.create(site=SITE, uid="04A1B2C3")
    staff.cookies["django_language"] = language
    assert word in staff.get("/admin/holders/card/").content.decode()


def test_what_is_saved_changed_and_deleted_stands_in_the_directory(staff: Client) -> None:
    def post(path: str, **values: object) -> None:
        answer = staff.post(f"/admin/holders/{path}/", values)
        assert answer.status_code == 302, answer.content.decode()[:2000]

    post(
        "holder/add",
        site=SITE,
        reference="h-1",
        name="李四",
        pass_type="resident",
        registered="on",
        valid_until="2026-11-27",
    )
    holder = Holder.objects.get()
    post("card/add", site=SITE, uid="04A1B2C3", holder=holder.pk)
    post("code/add", site=SITE, text="JKM:geheim", colour="green")
    post("revokedpass/add", site=SITE, pass_id="0123456789abcdef")
    post("holderstatus/add", site=SITE, holder=holder.pk)
    post("policyvalue/add", site=SITE, gate="", key="temperature.threshold_c", value="37.5")
    post("wording/add", site=SITE, language="en", phrase="welcome", text="Good morning.")
    found = standing()
    assert found["card/04A1B2C3"] == {"holder": "h-1", "lost": False}
    assert found["policy/temperature.threshold_c"] == 37.5
    assert "李四" not in str(found) and "geheim" not in str(found) + str(Code.objects.values())
    assert {key.partition("/")[0] for key in found} == {
        "holder",
        "card",
        "code",
        "revoked",
        "status",
        "policy",
        "phrase",
    }
    assert strange_at_a_gate() == 0

    version = Directory.objects.get().version
    staff.post("/admin/holders/card/", {"action": "report_lost", "_selected_action": [Card.objects.get().pk]})
    assert standing()["card/04A1B2C3"] == {"holder": "h-1", "lost": True}
    assert Directory.objects.get().version == version + 1
    staff.post("/admin/holders/holder/", {"action": "delete_selected", "_selected_action": [holder.pk], "post": "yes"})
    assert Holder.objects.exists(), "a card and a status name them"
    for model in ("holderstatus", "card", "holder"):
        pk = {"holderstatus": HolderStatus, "card": Card, "holder": Holder}[model].objects.get().pk  # type: ignore[attr-defined]
        staff.post(f"/admin/holders/{model}/{pk}/delete/", {"post": "yes"})
    assert not {"holder/h-1", "card/04A1B2C3", "status/h-1"} & standing().keys()


def test_keys_are_not_changed_afterwards_and_what_does_not_fit_is_told(staff: Client) -> None:
    card = Card.objects.create(site=SITE, uid="04A1B2C3")
    staff.post(f"/admin/holders/card/{card.pk}/change/", {"uid": "FFFFFFFF", "site": "other", "lost": "on"})
    card.refresh_from_db()
    assert (card.uid, card.site, card.lost) == ("04A1B2C3", SITE, True)
    Gate.objects.create(pk="elsewhere", site="other", admitted=True)
    for values, word in [
        ({"site": SITE, "uid": "xyz"}, "hexadecimal"),
        ({"site": "garden-cuort", "uid": "04A1B2C4"}, "garden-cuort is not one of the available choices"),
        (
            {"site": "other", "uid": "04A1B2C5", "holder": Holder.objects.create(site=SITE, reference="h-1").pk},
            "another site",
        ),
    ]:
        assert word in staff.post("/admin/holders/card/add/", values).content.decode()


def test_the_first_site_is_whatever_is_written(staff: Client) -> None:
    assert (
        "1 to 32 letters"
        in staff.post("/admin/holders/card/add/", {"site": "garden court", "uid": "04A1B2C4"}).content.decode()
    )
    staff.post("/admin/holders/card/add/", {"site": SITE, "uid": "04A1B2C4"})
    assert Card.objects.get().site == SITE


@contextmanager
def time_machine(seconds: float) -> Iterator[None]:
    """It is so much later, for what was signed."""
    now = time.time()
    with mock.patch("django.core.signing.time.time", lambda: now + seconds):
        yield


def looked_at(client: Client, path: str, **wanted: object) -> dict[str, object]:
    """What an order's second page would send."""
    page = client.post(path, wanted)
    assert page.status_code == 200, page.content.decode()
    found = re.search(r'name="number" value="([^"]+)"', page.content.decode())
    assert found is not None, page.content.decode()
    return {**wanted, "number": found[1], "sure": "Yes"}


MODE = "/admin/holders/modeorder/add/"


def test_orders_are_given_for_gates_that_are_there_and_never_changed(staff: Client) -> None:
    order = {"site": SITE, "gate": "", "mode": "lockdown"}
    assert "Select a valid choice" in staff.post(MODE, order).content.decode()
    Gate.objects.create(pk="north-1", admitted=True, site=SITE)
    Gate.objects.create(pk="south-1", admitted=True, site="other")
    Gate.objects.create(pk="west-1", admitted=False, site=SITE)
    shown = staff.post(MODE, order).content.decode()
    assert "Nobody is let in" in shown and "north-1" in shown and "south-1" not in shown and "west-1" not in shown
    assert "another site" in staff.post(MODE, order | {"gate": "south-1"}).content.decode()
    assert "Select a valid choice" in staff.post(MODE, order | {"gate": "west-1"}).content.decode()
    assert not ModeOrder.objects.exists(), "nothing was ordered by looking"
    assert staff.post(MODE, looked_at(staff, MODE, **order)).headers["Location"] == "/admin/holders/sitegate/"
    staff.post(MODE, looked_at(staff, MODE, **order | {"mode": "normal", "drill": "on"}))
    last = ModeOrder.objects.first()
    assert last is not None
    found = standing()["mode/*"]
    assert isinstance(found, dict)
    assert (found["mode"], found["drill"], found["by"], found["id"]) == ("normal", True, "li", last.order)
    assert staff.get(f"/admin/holders/modeorder/{last.pk}/delete/").status_code == 403
    staff.post(f"/admin/holders/modeorder/{last.pk}/change/", order)
    assert ModeOrder.objects.get(pk=last.pk).mode == "normal"
    assert "waits for the gate" in staff.get("/admin/holders/sitegate/").content.decode()
    assert strange_at_a_gate() == 0


@pytest.mark.parametrize("mode", [mode for mode, _ in MODES])
def test_every_mode_that_is_offered_can_be_looked_at_and_ordered(staff: Client, mode: str) -> None:
    Gate.objects.create(pk="north-1", admitted=True, site=SITE)
    order = looked_at(staff, MODE, site=SITE, gate="", mode=mode)
    assert staff.post(MODE, order).status_code == 302
    assert ModeOrder.objects.get().mode == mode


def test_an_order_is_given_once_however_often_it_is_sent_and_only_by_who_looked(staff: Client) -> None:
    Gate.objects.create(pk="north-1", admitted=True, site=SITE)
    order = {"site": SITE, "gate": "north-1", "mode": "free"}
    seen = looked_at(staff, MODE, **order)
    for _ in range(2):
        assert staff.post(MODE, seen).status_code == 302
    assert ModeOrder.objects.count() == 1
    staff.get(MODE, seen)
    for number in ("", "1" * 32, str(seen["number"])[:-1] + "-"):
        assert "too long ago" in staff.post(MODE, seen | {"number": number}).content.decode()
    other = Client()
    other.force_login(User.objects.create(username="wu", is_staff=True, is_superuser=True))
    assert "too long ago" in other.post(MODE, looked_at(staff, MODE, **order)).content.decode()
    late = looked_at(staff, MODE, **order)
    with time_machine(GOOD_FOR_S + 1):
        assert "too long ago" in staff.post(MODE, late).content.decode()
    assert ModeOrder.objects.count() == 1
    assert staff.post(MODE, late).status_code == 302


def test_the_count_of_a_gate_is_corrected_within_bounds(staff: Client) -> None:
    Gate.objects.create(pk="north-1", admitted=True, site=SITE, inside=7)
    path = "/admin/holders/countorder/add/"
    for inside in ("-1", "1000001", "9" * 400, "x", ""):
        assert "errorlist" in staff.post(path, {"site": SITE, "gate": "north-1", "inside": inside}).content.decode()
    assert "errorlist" in staff.post(path, {"site": SITE, "gate": "", "inside": "3"}).content.decode()
    staff.post(path, looked_at(staff, path, site=SITE, gate="north-1", inside=3))
    found = standing()["count/north-1"]
    assert isinstance(found, dict) and found["inside"] == 3
    assert strange_at_a_gate() == 0


@pytest.mark.parametrize("path", ["modeorder", "countorder", "gatecommand"])
def test_nobody_orders_without_the_permission_for_it(client: Client, path: str) -> None:
    staff = User.objects.create(username="li", is_staff=True)
    client.force_login(staff)
    for method in (client.get, client.post):
        assert method(f"/admin/holders/{path}/add/").status_code == 403
    staff.user_permissions.add(Permission.objects.get(codename=f"add_{path}"))
    for page in (f"{path}/add/", f"{path}/"):
        assert client.get(f"/admin/holders/{page}").status_code == 200
    guarded = Client(enforce_csrf_checks=True)
    guarded.force_login(staff)
    assert guarded.post(f"/admin/holders/{path}/add/").status_code == 403


def test_a_home_observation_is_made_for_many_until_a_day(staff: Client) -> None:
    holders = [Holder.objects.create(site=SITE, reference=f"h-{n}") for n in range(3)]
    HolderStatus.objects.create(site=SITE, holder=holders[0])
    chosen = {"action": "observe", "_selected_action": [holder.pk for holder in holders]}
    assert "3 holders go out" in staff.post("/admin/holders/holder/", chosen).content.decode()
    assert HolderStatus.objects.count() == 1
    for day in ("2026-02-30", "0001-01-01", "9999-12-31"):
        staff.post("/admin/holders/holder/", chosen | {"until": day})
        assert HolderStatus.objects.count() == 1
    version = Directory.objects.get().version
    assert staff.post("/admin/holders/holder/", chosen | {"until": "2026-12-01"}).status_code == 302
    assert {str(each.until) for each in HolderStatus.objects.all()} == {"2026-12-01"}
    assert Directory.objects.get().version == version + 1
    clerk = User.objects.create(username="wu", is_staff=True)
    clerk.user_permissions.add(*Permission.objects.filter(codename__in=["view_holder", "change_holder"]))
    staff.force_login(clerk)
    staff.post("/admin/holders/holder/", chosen | {"until": "2027-12-01"})
    assert not HolderStatus.objects.filter(until__year=2027).exists()


@pytest.mark.parametrize("value", ["NaN", "Infinity", "37,5", "'guard'", "[" * 199, "1 2", ""])
def test_a_policy_value_is_strict_json(staff: Client, value: str) -> None:
    given = {"site": SITE, "gate": "", "key": "temperature.threshold_c", "value": value}
    assert "errorlist" in staff.post("/admin/holders/policyvalue/add/", given).content.decode()
    assert standing() == {}


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "3000-01-01", "9999-12-31"])
def test_days_are_within_bounds(staff: Client, day: str) -> None:
    given = {"site": SITE, "reference": "h-1", "pass_type": "resident", "valid_from": day, "valid_until": day}
    assert "lies before 2000 or after 2999" in staff.post("/admin/holders/holder/add/", given).content.decode()


def test_the_page_of_gates_tells_apart_what_is_ordered_and_what_is_so(staff: Client) -> None:
    gate = GateAtWork("north-1")
    gate.state()
    Gate.objects.update(site=SITE)
    Gate.objects.create(pk="south-1", admitted=True)
    Gate.objects.create(pk="west-1", admitted=False)

    def told() -> str:
        page = staff.get("/admin/holders/sitegate/").content.decode()
        assert "south-1" in page and "west-1" not in page
        return page

    assert "● online" in told() and "— nothing ordered" in told() and "belongs to no site" in told()
    staff.post(MODE, looked_at(staff, MODE, site=SITE, gate="", mode="lockdown"))
    assert "… on its way" in told()
    gate.state(mode="lockdown")  # the order went ahead of the directory
    assert "✓ in force" in told() and "… on its way" not in told() and "the newest is 1" in told()
    there = Directory.objects.get()
    gate.state(mode="lockdown", directory_epoch=there.epoch, directory_version=there.version)
    assert "✓ in force" in told()
    gate.state(mode="normal", directory_epoch=there.epoch, directory_version=there.version, devices_lost=("policy",))
    assert "≠ the gate is in another mode" in told() and "✕ refuses values" in told()
    gate.state(directory_epoch=there.epoch, directory_version=there.version)
    Gate.objects.create(pk="east-1", admitted=True, site=SITE)
    assert told().count("✓ taken") == 1 and told().count("? not heard of yet") == 3 + 2, (
        "of who is unheard nothing is claimed"
    )
    staff.post("/admin/holders/sitegate/north-1/change/", {"name": "North", "site": "<b>"})
    assert Gate.objects.get(pk="north-1").name == ""
    staff.post("/admin/holders/sitegate/north-1/change/", {"name": "North", "site": "", "mode": "free"})
    changed = Gate.objects.get(pk="north-1")
    assert (changed.name, changed.site, changed.mode) == ("North", "", "normal")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("capacity.limt", "40", "Did you mean capacity.limit?"),
        ("limit", "40", "Did you mean capacity.limit?"),
        ("quite.unknown", "40", "no gate knows this key"),
        ("portal.kind", '"open"', "own file alone"),
        ("capacity.limit", "ten", "words stand in double quotes"),
        ("capacity.limit", '"ten"', "a whole number from 0 to 1000000"),
        ("capacity.limit", "-1", "a whole number from 0 to 1000000"),
        ("temperature.threshold_c", "43", "a number from 35 to 42 °C"),
        ("night.begins", '"25:00"', "such as &quot;22:00&quot;"),
        ("when_journal_fails", '"shut"', "&quot;guard&quot;, &quot;closed&quot;, &quot;open&quot;"),
        ("steps.visitor", '["code"]', "a list in [ ]"),
        ("prompter.mask", "1", "true / false"),
    ],
)
def test_a_policy_value_that_no_gate_takes_is_refused_with_what_it_must_be(
    staff: Client, key: str, value: str, said: str
) -> None:
    given = {"site": SITE, "gate": "", "key": key, "value": value}
    staff.cookies["django_language"] = "en"
    assert said in staff.post("/admin/holders/policyvalue/add/", given).content.decode()
    assert standing() == {}
    staff.cookies["django_language"] = "zh-hans"
    page = staff.post("/admin/holders/policyvalue/add/", given).content.decode()
    assert "没有门岗认识" in page or "只能写在门岗" in page or "必须是" in page
