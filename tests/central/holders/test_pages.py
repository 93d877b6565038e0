"""The directory's pages: whoever may, and what is saved there stands in the directory and is what gates read."""

import json
import sqlite3
from contextlib import closing

import pytest
from django.test import Client

from central.accounts.models import User
from central.directory.models import Directory, Row
from central.holders.models import Card, Code, Holder, HolderStatus, ModeOrder
from central.registry.models import Gate
from gateway.directory import make_tables
from gateway.directory_rows import put
from sync.log.keyed import Row as Sent

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
    for values, word in [
        ({"site": SITE, "uid": "xyz"}, "hexadecimal"),
        ({"site": "garden court", "uid": "04A1B2C4"}, "letters"),
        (
            {"site": "other", "uid": "04A1B2C5", "holder": Holder.objects.create(site=SITE, reference="h-1").pk},
            "another site",
        ),
    ]:
        assert word in staff.post("/admin/holders/card/add/", values).content.decode()


def test_orders_are_given_for_gates_that_are_there_and_never_changed(staff: Client) -> None:
    order = {"site": SITE, "gate": "", "mode": "lockdown", "sure": "on"}
    assert "No admitted gate" in staff.post("/admin/holders/modeorder/add/", order).content.decode()
    Gate.objects.create(pk="north-1", admitted=True, site=SITE)
    unsure = {name: value for name, value in order.items() if name != "sure"}
    assert staff.post("/admin/holders/modeorder/add/", unsure).status_code == 200
    assert staff.post("/admin/holders/modeorder/add/", order).status_code == 302
    staff.post("/admin/holders/modeorder/add/", order | {"mode": "normal", "drill": "on"})
    last = ModeOrder.objects.first()
    assert last is not None
    found = standing()["mode/*"]
    assert isinstance(found, dict)
    assert (found["mode"], found["drill"], found["by"], found["id"]) == ("normal", True, "li", last.order)
    assert staff.get(f"/admin/holders/modeorder/{last.pk}/delete/").status_code == 403
    staff.post(f"/admin/holders/modeorder/{last.pk}/change/", order)
    assert ModeOrder.objects.get(pk=last.pk).mode == "normal"
    assert "normal" in staff.get("/admin/registry/gate/").content.decode()
    assert strange_at_a_gate() == 0
