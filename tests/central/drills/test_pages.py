"""The drills' pages: whoever may, both languages, and that what is a drill is marked as one everywhere."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from central.accounts.models import User
from central.drills.conduct import begin
from central.drills.models import Drill, DrillGate, GateStage, Stamp
from central.holders.models import ModeOrder
from central.registry.models import Gate
from sync.contract.alarms import AlarmKind
from sync.contract.records import Drill as Told
from sync.contract.records import DrillStage as Stage
from tests.central.drills.test_conduct import SITE, planned
from tests.central.web.making import GateAtWork
from tests.central.web.test_alarms import text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]
FORM = {
    "site": SITE,
    "scenario": "closed",
    "building": "3 号楼",
    "mode": "closed",
    "gates": ["north-gate"],
    "note": "全体门岗",
}
ALL = ("add_drill", "change_drill", "delete_drill", "add_stamp", "add_modeorder")


@pytest.fixture
def li() -> User:
    return User.objects.create(username="li")


@pytest.fixture
def clerk(client: Client, li: User) -> Client:
    """Who may do everything with drills."""
    li.user_permissions.add(*Permission.objects.filter(codename__in=ALL))
    client.force_login(li)
    return client


@pytest.fixture
def gate() -> GateAtWork:
    made = GateAtWork()
    made.visit()
    Gate.objects.update(site=SITE)
    return made


def order() -> str:
    """The order of the only drill at its only gate."""
    return DrillGate.objects.get().order


def test_from_the_plan_to_the_report(clerk: Client, gate: GateAtWork) -> None:
    answer = clerk.post("/drills/plan/", FORM)
    drill = Drill.objects.get()
    assert answer.headers["Location"] == f"/drills/{drill.pk}/"
    page = text(clerk.get(f"/drills/{drill.pk}/").content)
    assert "The gates do it all the same. Closed management: only those" in page and "Order it now" in page
    assert not ModeOrder.objects.exists()
    page = text(clerk.post(f"/drills/{drill.pk}/begin/", follow=True).content)
    assert "north-gate: In the mode not yet" in page
    gate.record(Told(stage=Stage.ORDERED, mode="closed", by="li", order=order()))
    gate.record(Told(stage=Stage.IN_MODE, mode="closed", by="li", order=order()))
    clerk.post(f"/drills/{drill.pk}/stamp/", {"stage": "supplies-ready"})
    page = text(clerk.get(f"/drills/{drill.pk}/").content)
    assert re.search(r"north-gate: In the mode reached \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \d+ s li", page)
    assert re.search(r"Supplies ready reached \d{4}.* s li", page) and "Residents arrive not yet" in page
    assert "Stamp: Supplies ready" not in page and "Stamp: People assembled" in page
    gate.record(Told(stage=Stage.RESIDENTS_ARRIVE))
    clerk.post(f"/drills/{drill.pk}/end/")
    report = clerk.get(f"/drills/{drill.pk}/report/").content
    assert "1 of 1 gates were in the mode." in text(report) and "People assembled not reached" in text(report)
    assert report.decode().count('<svg class="timeline"') == 1 and "全体门岗" in text(report)
    assert ModeOrder.objects.first().mode == "normal"  # type: ignore[union-attr]  # there are two
    listing = text(clerk.get("/drills/").content)
    assert "Over Closed management" in listing and "Lock down a building" in listing.partition("All drills")[0]


def test_the_picture_says_in_words_and_shapes_what_colours_say(clerk: Client, li: User, gate: GateAtWork) -> None:
    drill = planned(li, "north-gate", "west-gate")
    begin(drill.pk, li)
    page = clerk.get(f"/drills/{drill.pk}/").content.decode()
    picture = page[page.index('<svg class="timeline"') : page.index("<h2>")]
    assert picture.count("<g class=") == 7 == picture.count("<path ")
    assert picture.count(">not yet<") == 6
    assert "style=" not in picture and "fill=" not in picture.replace("fill-rule=", "")


def test_it_is_live_while_it_runs(clerk: Client, li: User, gate: GateAtWork) -> None:
    drill = planned(li, "north-gate")
    begin(drill.pk, li)
    page = clerk.get(f"/drills/{drill.pk}/").content.decode()
    (address,) = re.findall(r'hx-get="(/drills/[^"]+)"', page)
    assert address.startswith(f"/drills/{drill.pk}/timeline/?")
    gate.record(Told(stage=Stage.ORDERED, mode="lockdown", order=order()))
    gate.record(Told(stage=Stage.IN_MODE, mode="lockdown", order=order()))
    assert "north-gate: In the mode reached" in text(clerk.get(address).content)


@pytest.mark.parametrize("missing", ALL)
def test_each_step_needs_its_permission(clerk: Client, li: User, gate: GateAtWork, missing: str) -> None:
    drill, other = planned(li, "north-gate"), planned(li, "north-gate")
    begin(other.pk, li)
    li.user_permissions.remove(Permission.objects.get(codename=missing))
    asked = {
        "add_drill": [("plan/", FORM)],
        "change_drill": [(f"{drill.pk}/begin/", {}), (f"{other.pk}/end/", {})],
        "add_modeorder": [(f"{drill.pk}/begin/", {}), (f"{other.pk}/end/", {})],
        "add_stamp": [(f"{other.pk}/stamp/", {"stage": "assembled"})],
        "delete_drill": [(f"{drill.pk}/forget/", {})],
    }[missing]
    assert {clerk.post(f"/drills/{step}", given).status_code for step, given in asked} == {403}
    assert clerk.get("/drills/plan/").status_code == (403 if missing == "add_drill" else 200)
    assert (Drill.objects.count(), ModeOrder.objects.count(), Stamp.objects.count()) == (2, 1, 0)


def test_whoever_may_nothing_sees_them_and_is_offered_nothing(client: Client, li: User, gate: GateAtWork) -> None:
    client.force_login(li)
    drill, other = planned(li, "north-gate"), planned(li, "north-gate")
    begin(other.pk, li)
    for address in ("/drills/", f"/drills/{drill.pk}/", f"/drills/{other.pk}/", f"/drills/{other.pk}/report/"):
        page = client.get(address).content.decode()
        assert not re.search(r'action="/drills/\d+/(begin|end|forget)/|name="stage"|/drills/plan/', page), address
    assert client.get(f"/drills/{drill.pk}/report/").status_code == 404, "there is nothing to report yet"


@pytest.mark.parametrize(
    "wrong",
    [{"gates": []}, {"gates": ["nowhere"]}, {"gates": ["south-gate"]}, {"mode": "normal"}, {"scenario": "war"}, {"site": "x"},
     {"building": "x" * 65}, {"note": "x" * 501}, {"building": "\0"}],
)  # fmt: skip
def test_what_makes_no_sense_is_not_planned(clerk: Client, gate: GateAtWork, wrong: dict[str, object]) -> None:
    Gate.objects.create(pk="south-gate", site="south", admitted=True)
    answer = clerk.post("/drills/plan/", FORM | wrong)
    assert answer.status_code == 200 and "errorlist" in answer.content.decode()
    assert not Drill.objects.exists()


@pytest.mark.parametrize("stage", ["", "ordered", "in-mode", "ended", "\0", "x" * 500])
def test_only_what_people_stamp_is_stamped(clerk: Client, li: User, gate: GateAtWork, stage: str) -> None:
    drill = planned(li, "north-gate")
    begin(drill.pk, li)
    answer = clerk.post(f"/drills/{drill.pk}/stamp/", {"stage": stage}, follow=True)
    assert "no stage that is stamped here" in text(answer.content)
    assert not Stamp.objects.exists()


def test_what_is_not_there(clerk: Client, gate: GateAtWork) -> None:
    for step in ("begin", "stamp", "end", "forget"):
        assert clerk.post(f"/drills/999/{step}/", {"stage": "assembled"}).status_code in (302, 404)
        assert clerk.get(f"/drills/999/{step}/").status_code == 405
    assert clerk.get("/drills/999/").status_code == clerk.get("/drills/999/timeline/").status_code == 404
    assert clerk.get("/drills/?page=x").status_code == 200
    asked = {
        "scenario": "\0",
        "mode": "<script>alert(1)</script>",
        "building": "<script>alert(1)</script>",
        "gate": "x",
    }
    assert "<script>alert" not in clerk.get("/drills/plan/", asked).content.decode()


def test_a_plan_is_deleted_and_what_was_held_is_not(clerk: Client, li: User, gate: GateAtWork) -> None:
    drill, other = planned(li, "north-gate"), planned(li, "north-gate")
    begin(other.pk, li)
    assert clerk.post(f"/drills/{drill.pk}/forget/").status_code == 302
    assert clerk.post(f"/drills/{other.pk}/forget/").status_code == 404
    assert Drill.objects.get() == other


def test_hostile_names_are_text(clerk: Client, li: User, gate: GateAtWork) -> None:
    Gate.objects.update(name="<script>alert(1)</script>")
    drill = planned(li, "north-gate", building="<script>alert(2)</script>", note="<script>alert(3)</script>")
    begin(drill.pk, li)
    gate.record(Told(stage=Stage.ORDERED, order=order(), by="<script>alert(4)</script>"))
    gate.record(Told(stage=Stage.IN_MODE, order=order(), by="<script>alert(4)</script>"))
    for address in ("/drills/", f"/drills/{drill.pk}/", f"/drills/{drill.pk}/report/"):
        assert "<script>alert" not in clerk.get(address).content.decode()


def test_two_gates_of_one_name_are_two_lines(clerk: Client, li: User, gate: GateAtWork) -> None:
    drill = planned(li, "north-gate", "west-gate")
    Gate.objects.update(name="门")
    begin(drill.pk, li)
    page = text(clerk.get(f"/drills/{drill.pk}/").content)
    assert "门 (north-gate): In the mode" in page and "门 (west-gate): In the mode" in page


def test_of_many_gates_the_report_names_the_slowest(clerk: Client, li: User) -> None:
    drill = planned(li, *(f"gate-{each:02}" for each in range(20)))
    begin(drill.pk, li)
    page = text(clerk.get(f"/drills/{drill.pk}/report/").content)
    assert "0 of 20 gates were in the mode." in page and "14 more are left out" in page


def test_visits_and_alarms_of_a_drill_are_marked(clerk: Client, gate: GateAtWork) -> None:
    def marked() -> list[int]:
        pages = (clerk.get(address).content.decode() for address in ("/alarms/open/", "/alarms/bar/", "/entries/rows/"))
        return [page.count("exercise-drill") for page in pages]

    gate.visit()
    gate.alarm(AlarmKind.FEVER)
    assert marked() == [0, 0, 0]
    gate.record(Told(stage=Stage.ORDERED, mode="lockdown", order="a" * 32))
    gate.visit(mode="drill")
    alarm = gate.alarm(AlarmKind.DOOR_FORCED)
    assert marked() == [1, 1, 1]
    gate.record(Told(stage=Stage.ENDED))
    gate.alarm(AlarmKind.CALL)
    gate.visit()
    assert marked() == [1, 1, 1]
    assert "exercise-drill" in clerk.get(f"/alarms/{alarm}/").content.decode()
    GateAtWork("west-gate").alarm(AlarmKind.CALL)
    assert marked() == [1, 1, 1]


def test_in_chinese(clerk: Client, li: User, gate: GateAtWork) -> None:
    drill = planned(li, "north-gate")
    begin(drill.pk, li)
    clerk.cookies["django_language"] = "zh-hans"
    page = text(clerk.get(f"/drills/{drill.pk}/").content)
    for words in ("演练：封控楼栋", "物资到位 尚未", "登记：人员集合", "结束演练：门岗恢复正常"):
        assert words in page, words


def test_a_drill_begun_at_a_gate_has_a_page_and_a_timeline(clerk: Client, gate: GateAtWork) -> None:
    for stage, by in ((Stage.ORDERED, "wang"), (Stage.IN_MODE, "wang"), (Stage.SUPPLIES_READY, "wang")):
        gate.record(Told(stage=stage, mode="closed" if stage is not Stage.SUPPLIES_READY else "", by=by))
    listing = clerk.get("/drills/").content.decode()
    (address,) = set(re.findall(r'href="(/drills/begun/\d+/)"', listing))
    assert "Running north-gate Closed management" in text(listing.partition("Begun at a gate")[2].encode())
    page = clerk.get(address).content
    assert re.search(r"Ordered reached \d{4}-\d\d-\d\d \d\d:\d\d:\d\d wang", text(page))
    assert re.search(r"Supplies ready reached \d{4}.* wang north-gate", text(page))
    assert "north-gate: In the mode reached" in text(page) and "People assembled not yet" in text(page)
    assert '<form id="stamp"' not in page.decode()

    (part,) = re.findall(r'hx-get="(/drills/begun/[^"]+)"', page.decode())
    gate.record(Told(stage=Stage.RESIDENTS_ARRIVE))
    gate.record(Told(stage=Stage.ENDED, by="wang"))
    then = text(clerk.get(part).content)
    assert "Residents arrive reached" in then and "People assembled not reached" in then and "Over" in then


def test_two_drills_at_a_gate_are_two_and_the_offices_are_not_among_them(
    clerk: Client, li: User, gate: GateAtWork
) -> None:
    for _ in range(2):
        gate.record(Told(stage=Stage.ORDERED, mode="closed", by="wang"))
        gate.record(Told(stage=Stage.IN_MODE, mode="closed", by="wang"))
        gate.record(Told(stage=Stage.ENDED, by="wang"))
    begin(planned(li, "north-gate").pk, li)
    gate.record(Told(stage=Stage.ORDERED, mode="lockdown", by="li", order=order()))
    gate.record(Told(stage=Stage.IN_MODE, mode="lockdown", by="li", order=order()))
    pages = sorted(set(re.findall(r'href="(/drills/begun/\d+/)"', clerk.get("/drills/").content.decode())))
    assert len(pages) == 2
    for page in pages:
        assert "Ended reached" in text(clerk.get(page).content) and "Lockdown" not in text(clerk.get(page).content)
    of_office = GateStage.objects.get(order=order(), stage="ordered")
    assert clerk.get(f"/drills/begun/{of_office.pk}/").status_code == 404


def test_a_gate_whose_mode_is_a_drill_says_so_in_both_languages(clerk: Client, gate: GateAtWork) -> None:
    gate.state(mode="closed", drill=True)
    page = clerk.get("/gates/").content
    assert (
        "Mode Closed management Drill" in text(page) and "<path" in page.decode().partition("exercise-drill")[2][:200]
    )
    clerk.post("/language/", {"language": "zh-hans", "next": "/gates/"})
    assert "封闭管理 演练" in text(clerk.get("/gates/").content)
    gate.state(mode="closed", drill=False)
    assert "演练" not in text(clerk.get("/gates/").content.partition(b'class="gates"')[2])
