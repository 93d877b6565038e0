"""What hostile browsers may send, and what the page gives back."""

import json
import re
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.policy import Mode
from gateway.page import messages
from gateway.page.app import ACTIONS
from gateway.page.messages import AlarmNote, Answer, HandOver, OnDuty, Person, Snapshot
from gateway.page.security import MAX_BODY, csrf_of
from sync.contract.alarms import Alarm, AlarmKind
from sync.contract.directory import DutyRole
from sync.contract.records import DrillStage, ShiftAction
from tests.gateway.page.asking import COOKIE, SETUP, FakeLine, ask, form, snapshot

ALARM = "0" * 31 + "1"
ORDERS = {
    "acknowledge": ({"alarm": ALARM, "note": ""}, messages.Acknowledge(alarm=ALARM)),
    "note": ({"alarm": ALARM, "what": "done", "note": "x"}, messages.NoteAlarm(alarm=ALARM, what="done", note="x")),
    "siren": ({}, messages.StopSiren()),
    "release": ({"picked": "delivery", "other": ""}, messages.Release(reason="Delivery")),
    "register": (
        {"visit": ALARM, "name": " 王 ", "host": "3-2", "purpose": "", "phone": "139", "instead": "true"},
        messages.Register(visit=ALARM, name="王", host="3-2", phone="139", instead=True),
    ),
    "vehicle": ({"plate": "京A12345", "delivery": "true"}, messages.Vehicle(plate="京A12345", delivery=True)),
    "count": ({"inside": "17"}, messages.Correct(inside=17)),
    "mode": ({"mode": "free-exit"}, messages.Switch(mode=Mode.FREE_EXIT)),
    "stamp": ({"stage": "assembled"}, messages.Stamp(stage=DrillStage.ASSEMBLED)),
    "shift": ({"action": "handed-over", "to": "Chen"}, messages.Shift(action=ShiftAction.HANDED_OVER, to="Chen")),
    "round": ({"round": "lift"}, messages.Confirm(round="lift")),
}


def test_each_action_has_a_case() -> None:
    assert set(ORDERS) == set(ACTIONS)


@pytest.mark.parametrize("action", ORDERS)
def test_a_form_becomes_an_order(action: str) -> None:
    fields, order = ORDERS[action]
    line = FakeLine()
    said = ask(line, f"/do/{action}", method="POST", body=form(**fields), headers={"accept": "application/json"})
    assert (said.status, json.loads(said.body)) == (200, {"ok": True, "text": "Done.", "reason": ""})
    assert line.asked == [(COOKIE, "10.0.0.9", order)]


@pytest.mark.parametrize("action", ORDERS)
def test_without_the_word_of_this_browser_nothing_is_done(action: str) -> None:
    fields, _ = ORDERS[action]
    for body in (
        urlencode(fields),
        urlencode({**fields, "csrf": csrf_of("other")}),
        urlencode({**fields, "csrf": "é"}),
    ):
        line = FakeLine()
        assert ask(line, f"/do/{action}", method="POST", body=body.encode()).status in (400, 403)
        assert line.orders == []
    line = FakeLine()
    assert ask(line, f"/do/{action}", method="POST", body=form(**fields), cookie=None).status == 403
    assert line.orders == []


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"},
     {"origin": "http://10.0.0.1:9999"}, {"origin": "https://10.0.0.1:8443"}],
)  # fmt: skip
def test_another_sites_form_is_refused(headers: dict[str, str]) -> None:
    line = FakeLine()
    assert ask(line, "/do/siren", method="POST", body=form(), headers=headers).status == 403
    assert line.asked == []


@pytest.mark.parametrize(
    ("host", "status"),
    [("10.0.0.1:8443", 303), ("gate.local", 303), ("GATE.local:8443", 303), ("[::1]:8443", 303), ("localhost", 303),
     ("evil.example", 421), ("gate.local.evil.example", 421), ("", 421), ("10.0.0.1.evil.example", 421), ("[", 421),
     ("gate.local@evil.example", 421), ("2130706433", 421)],
)  # fmt: skip
def test_only_addresses_and_the_gates_own_names_are_answered(host: str, status: int) -> None:
    assert ask(FakeLine(person=None), "/", headers={"host": host}).status == status


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"x" * (MAX_BODY + 1), {}, 413),
        ([b"x" * 5000] * 3, {"content-length": "10"}, 413),
        (form(), {"content-length": "-1"}, 413),
        (form(), {"content-length": "1e9"}, 413),
        (form(), {"content-type": "text/plain"}, 415),
        (form(), {"content-type": "multipart/form-data; boundary=x"}, 415),
        (b"%ff=%fe&csrf=1", {}, 400),
        (b"\xff\xfe", {}, 400),
        (b"a", {}, 400),
        (form() + b"&csrf=1", {}, 400),
        (form() + b"&a=1" * 40, {}, 400),
    ],
)  # fmt: skip
def test_a_body_that_is_no_form(body: bytes | list[bytes], headers: dict[str, str], status: int) -> None:
    line = FakeLine()
    assert ask(line, "/do/siren", method="POST", body=body, headers=headers).status == status
    assert line.asked == []


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("count", {"inside": "-1"}), ("count", {"inside": "1000001"}), ("count", {"inside": "x"}), ("count", {}),
        ("count", {"inside": "1", "by": "Chen"}), ("release", {}), ("release", {"picked": "because"}),
        ("release", {"other": "x" * 201}), ("release", {"other": "x", "by": "Chen"}), ("acknowledge", {"alarm": ""}),
        ("acknowledge", {"alarm": "../../etc"}), ("mode", {"mode": "open"}), ("mode", {"mode": "normal", "type": "siren"}),
        ("note", {"alarm": ALARM, "what": "raised", "note": "x"}), ("register", {"name": "x"}),
        ("register", {"name": "x", "host": "y", "phone": "javascript:1"}), ("register", {"name": "x" * 65, "host": "y"}),
        ("shift", {"action": "gone"}), ("stamp", {"stage": "never"}), ("vehicle", {"plate": "x" * 17}),
    ],
)  # fmt: skip
def test_a_field_that_is_wrong_missing_or_too_much(action: str, fields: dict[str, str]) -> None:
    line = FakeLine()
    said = ask(line, f"/do/{action}", method="POST", body=form(**fields), headers={"accept": "application/json"})
    if action == "mode" and "type" in fields:
        assert line.orders == [messages.Switch(mode=Mode.NORMAL)]  # the address says what it is
        return
    assert said.status == 422
    assert line.orders == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"picked": "other", "other": " the lift is stuck "}, "the lift is stuck"),
        ({"picked": "delivery", "other": "parcels"}, "Delivery: parcels"),
        ({"other": "parcels"}, "parcels"),
    ],
)
def test_the_reason_is_what_was_picked_and_written(fields: dict[str, str], reason: str) -> None:
    line = FakeLine()
    assert ask(line, "/do/release", method="POST", body=form(**fields)).status == 303
    assert line.orders == [messages.Release(reason=reason)]


@pytest.mark.parametrize("fields", [{}, {"picked": "other"}, {"picked": "because"}, {"other": "  "}])
@pytest.mark.parametrize(("language", "said"), [("en", "choose a reason first"), ("zh", "请先选原因")])
def test_without_a_reason_nothing_is_opened_and_that_is_said(fields: dict[str, str], language: str, said: str) -> None:
    line = FakeLine()
    cookie = {"cookie": f"menshen={COOKIE}; menshen-language={language}"}
    told = ask(
        line, "/do/release", method="POST", body=form(**fields), headers={"accept": "application/json", **cookie}
    )
    assert told.status == 422 and said in json.loads(told.body)["text"]
    plain = ask(line, "/do/release", method="POST", body=form(**fields), headers=cookie)
    assert plain.header("location") == "/?said=no-reason"
    assert line.orders == []


def test_no_reason_is_picked_beforehand() -> None:
    html = ask(FakeLine(), "/").body
    form_of = re.search(r'action="/do/release".*?</form>', html, re.S)
    assert form_of is not None
    picks = re.findall(r'<input type="radio"[^>]*>', form_of[0])
    assert len(picks) > 3 and all("required" in each and "checked" not in each for each in picks)


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=300), max_size=12), st.sampled_from(sorted(ACTIONS)))
@settings(max_examples=150, deadline=None)
def test_whatever_is_typed_is_an_answer(fields: dict[str, str], action: str) -> None:
    try:
        body = urlencode({**fields, "csrf": csrf_of(COOKIE)}).encode()
    except UnicodeEncodeError:  # a lone surrogate is in no request
        return
    said = ask(FakeLine(), f"/do/{action}", method="POST", body=body, headers={"accept": "application/json"})
    assert said.status in (200, 400, 403, 422)


@pytest.mark.parametrize("path", ["/", "/login", "/now", "/static/page.css", "/nowhere", "/do/siren"])
def test_every_answer_bears_the_headers(path: str) -> None:
    said = ask(FakeLine(), path)
    policy = said.header("content-security-policy")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert said.header("x-content-type-options") == "nosniff"
    assert said.header("x-frame-options") == "DENY"
    if not path.startswith("/static"):
        assert said.header("cache-control") == "no-store"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("leader", [True, False])
def test_nothing_that_came_from_outside_is_html(language: str, leader: bool) -> None:
    line = FakeLine(person=Person(name="<script>alert(1)</script>", leader=leader))
    headers = {"cookie": f"menshen={COOKIE}; menshen-language={language}"}
    page = ask(line, "/", headers=headers, query=b"said=<script>alert(1)</script>").body
    parts = json.loads(ask(line, "/now", headers=headers).body)["regions"]
    for html in (page, *parts.values()):
        assert "<script>alert" not in html
        assert "<i>" not in html
        assert "<b>East" not in html
        assert " style=" not in html
        assert not re.search(r"<[^>]*\son[a-z]+=", html)
    assert "&lt;script&gt;alert(1)" in page


def test_no_script_or_style_stands_in_the_page() -> None:
    page = ask(FakeLine(), "/").body
    assert page.count("<script") == page.count('<script src="/static/') == 2
    assert "<style" not in page
    assert "://" not in page  # nothing comes from anywhere else


def test_who_is_not_logged_in_sees_nothing() -> None:
    line = FakeLine(person=None)
    assert ask(line, "/").header("location") == "/login"
    assert ask(line, "/now").status == 401
    assert ask(line, "/live").status == 401
    assert ask(line, "/do/siren", method="POST", body=form(), headers={"accept": "application/json"}).status == 401
    assert "alert(1)" not in ask(line, "/login").body


ON_THE_WALL = {"cookie": f"menshen={COOKIE}; menshen-tablet={'t' * 43}; menshen-language=en"}
PEOPLE = ("Li", "Chen", "Wang Wu")


def named() -> Snapshot:
    """A gate in whose state people's names stand wherever they may."""
    guard, leader, roster = PEOPLE
    alarms = tuple(
        Alarm(id=f"{at:032x}", kind=kind, portal="main", since_ms=at, detail=roster if kind is AlarmKind.ROUND_MISSED else "",
              acknowledged=bool(at % 2), acknowledged_by=guard)
        for at, kind in enumerate(AlarmKind)
    )  # fmt: skip
    notes = {alarms[0].id: (AlarmNote(at_ms=1, by=leader, what="instruction", note=roster),)}
    return snapshot(
        alarms=alarms, guard=guard, notes=notes, titles={roster: roster}, kinds={roster: "round"}, due={roster: 1},
        handed_over=HandOver(at_ms=1, by=guard, to=leader), duty=(OnDuty(name=roster, role=DutyRole.LEADER, phone="139"),),
        answered=(), steps=(), visits=(), lost=(), devices=(),
    )  # fmt: skip


def test_a_tablet_at_the_wall_shows_lane_and_alarms_without_anybodys_name() -> None:
    line = FakeLine(now=named())
    shown = json.loads(ask(line, "/watch", headers=ON_THE_WALL).body)
    assert line.asked == [(COOKIE, "10.0.0.9", messages.Watch(tablet="t" * 43))]
    page = ask(line, "/login", headers=ON_THE_WALL).body
    assert set(shown["regions"]) == {"lane", "open"}
    for part in (*shown["regions"].values(), page):
        assert not any(name in part for name in PEOPLE) and "139" not in part and 'action="/do/' not in part
    for text in (shown["regions"]["open"], page):
        assert f"Alarms ({len(AlarmKind) + 2})" in text and "Door forced" in text and "Device lost" in text
    assert "FIRE" in shown["regions"]["lane"] and "FIRE" in page
    assert len(shown["alarms"]) == (len(AlarmKind) + 1) // 2  # what rings: those that nobody has acknowledged


def test_a_browser_that_is_no_tablet_of_this_gate_sees_no_state() -> None:
    for headers in ({}, ON_THE_WALL):
        line = FakeLine(now=named(), refuse="unknown-tablet")
        assert ask(line, "/watch", headers=headers).status == 401
        page = ask(line, "/login", headers=headers).body
        assert "FIRE" not in page and "Door forced" not in page
    assert (
        'id="watch"' not in ask(FakeLine(now=named()), "/login").body
    )  # without the cookie it is not even asked about
    assert ask(FakeLine(refuse="gate-lost"), "/watch", headers=ON_THE_WALL).status == 503
    assert ask(FakeLine(now=None), "/watch", headers=ON_THE_WALL).status == 503


def test_a_new_log_in_has_another_token_than_before_it() -> None:
    line = FakeLine()
    said = ask(line, "/login", method="POST", body=form(name="Li", pin="739164"))
    assert said.status == 303
    cookies = said.header("set-cookie")
    assert "menshen=new-token; HttpOnly; Path=/; SameSite=strict" in cookies
    assert line.orders == [messages.LogIn(name="Li", pin="739164")]


@pytest.mark.parametrize("token", ["x" * 65, "a b", "../x", "<script>", "é"])
def test_a_cookie_that_is_no_token_is_none(token: str) -> None:
    line = FakeLine()
    ask(line, "/now", cookie=token)
    assert line.asked[0][0] == ""


def test_the_gate_is_lost() -> None:
    line = FakeLine(lost=True)
    assert "⚠ GATE LOST" in ask(line, "/").body
    assert json.loads(ask(line, "/now").body)["lost"] is True
    line.refuse = "gate-lost"
    line.person = None
    assert ask(line, "/").status == 503
    assert ask(line, "/now").status == 503


def test_methods_that_are_none() -> None:
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"):
        assert ask(FakeLine(), "/", method=method).status == 405


@pytest.mark.parametrize("name", ["../app.py", "page.html", "%2e%2e/app.py", ""])
def test_only_the_static_files_are_given_out(name: str) -> None:
    assert ask(FakeLine(), f"/static/{name}").status == 404


def test_an_alarm_says_what_to_do_and_whom_to_call() -> None:
    page = ask(FakeLine(now=snapshot()), "/now").body
    regions = json.loads(page)["regions"]
    assert "Get people out. Call 119." in regions["alarms"]
    assert "leader on shift" in regions["alarms"]
    assert "38.2 °C" in regions["visits"]


@pytest.mark.parametrize(("language", "works"), [("en", "works"), ("zh", "正常")])
def test_each_device_is_shown_with_its_state_and_counters(language: str, works: str) -> None:
    headers = {"cookie": f"menshen={COOKIE}; menshen-language={language}"}
    shown = json.loads(ask(FakeLine(), "/now", headers=headers).body)["regions"]["devices"]
    assert f"</span> {works}</td>" in shown
    assert re.search(r"864003, \w+ 2, [\w ]+ 0</span>", shown)
    assert re.search(r"reader</th><td>.*</td><td>\d\d:\d\d:\d\d<br>", shown)


def test_an_alarm_shows_who_instructed_what_and_one_that_is_over_still_takes_a_note() -> None:
    over, note = "ef" * 16, AlarmNote(at_ms=1, by="Zhao", what="instruction", note="send him to the clinic")
    closed = Alarm(id=over, kind=AlarmKind.CALL, portal="main", since_ms=1, acknowledged=True, acknowledged_by="Li")
    now = snapshot(alarms=(), answered=(closed,), notes={over: (note,)})
    shown = json.loads(ask(FakeLine(now=now), "/now").body)["regions"]["alarms"]
    assert "No alarms" in shown and "Lately acknowledged" in shown and "· over<br>" in shown
    assert re.search(r"Instruction</strong> .*\d\d:\d\d:\d\d · Zhao</span><br>send him to the clinic", shown)
    assert f'action="/do/note" class="js"><input type="hidden" name="csrf" value="{csrf_of(COOKIE)}">' in shown
    assert f'name="alarm" value="{over}"' in shown and "/do/acknowledge" not in shown


def test_the_last_hand_over_stands_with_the_shift() -> None:
    note = HandOver(at_ms=1, by="Li", to="Wu", note="the lift is being repaired")
    shown = json.loads(ask(FakeLine(now=snapshot(handed_over=note)), "/now").body)["regions"]["facts"]
    assert re.search(r"Handed over</strong> .*· Li → Wu</span><br>the lift is being repaired", shown)
    assert "Handed over" not in ask(FakeLine(now=snapshot(handed_over=None)), "/now").body


def test_a_fire_that_is_over_says_so_and_still_what_to_do_until_somebody_acknowledges_it() -> None:
    fire = Alarm(id="ef" * 16, kind=AlarmKind.FIRE, portal="main", since_ms=1)
    burning = json.loads(ask(FakeLine(now=snapshot(alarms=(fire,))), "/now").body)["regions"]
    over = json.loads(ask(FakeLine(now=snapshot(alarms=(fire,), ended=(fire.id,))), "/now").body)["regions"]
    assert "Everything is open" in burning["lane"] and "Everything is open" not in over["lane"]
    assert "Get people out" in burning["alarms"] and "Get people out" in over["alarms"], (
        "an input that fell is no fire that is out"
    )
    assert "over, and nobody has acknowledged it" in over["alarms"] and "/do/acknowledge" in over["alarms"]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("en-GB,en;q=0.9,zh;q=0.8", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"), ("fr, en;q=0.5, zh;q=0.7", "zh-Hans"),
        ("en;q=0, zh;q=0.1", "zh-Hans"), ("fr", "zh-Hans"), ("", "zh-Hans"), ("en;q=many", "zh-Hans"), ("x," * 500 + "en", "zh-Hans"),
    ],
)  # fmt: skip
def test_the_page_opens_in_the_browsers_language_until_the_guard_chooses(accepted: str, language: str) -> None:
    line = FakeLine(setup=msgspec.structs.replace(SETUP, languages=("zh", "en")))
    assert f'<html lang="{language}">' in ask(line, "/login", headers={"accept-language": accepted}).body
    chosen = {"accept-language": accepted, "cookie": f"menshen={COOKIE}; menshen-language=zh"}
    assert '<html lang="zh-Hans">' in ask(line, "/login", headers=chosen).body


def test_whom_to_call_is_no_round_and_an_outcome_stays_with_its_sign() -> None:
    regions = json.loads(ask(FakeLine(now=snapshot()), "/now").body)["regions"]
    assert '<h2 class="apart">Call</h2>' in regions["duties"] and "</span>&nbsp;Denied" in regions["visits"]


REGISTERED = {"visit": ALARM, "name": "x", "host": "y"}
OUTCOMES = [
    (Answer(id=1, ok=True, reason="registered-granted", why=("ok",)), "They may pass.", "可以通过。"),
    (Answer(id=1, ok=True, reason="registered-denied", why=("full",), number=3), "as number 3", "排队号 3"),
    (Answer(id=1, ok=True, reason="registered-denied", why=("locked-out",)), "locked out", "锁定"),
    (Answer(id=1, ok=True, reason="registered-denied", why=("fire",)), "during a fire", "火警"),
    (Answer(id=1, ok=True, reason="registered-denied", why=("health-code-red",)), "health code red", "红码"),
    (
        Answer(id=1, ok=True, reason="registered-waits", why=("temperature",)),
        "Still to do: temperature",
        "还要办： 测温",
    ),
    (Answer(id=1, ok=False, reason="somebody-else"), "Not registered: somebody else", "没有登记：门口现在是别人"),
    (Answer(id=1, ok=False, reason="visit-over"), "Not registered: whoever", "没有登记：该人已离开"),
]


@pytest.mark.parametrize(("answer", "english", "chinese"), OUTCOMES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_came_of_a_registration_is_said_in_both_languages(
    answer: Answer, english: str, chinese: str, language: str
) -> None:
    line, wanted = FakeLine(told=answer), english if language == "en" else chinese
    headers = {"accept-language": language}
    script = headers | {"accept": "application/json"}
    said = ask(line, "/do/register", method="POST", body=form(**REGISTERED), headers=script)
    assert said.status == (200 if answer.ok else 409)
    assert wanted.lower() in json.loads(said.body)["text"].lower()
    plain = ask(line, "/do/register", method="POST", body=form(**REGISTERED), headers=headers)
    assert plain.status == 303
    query = plain.header("location").partition("?")[2].encode()
    assert wanted.lower() in ask(line, "/", query=query, headers=headers).body.lower()


def test_what_an_answer_was_is_said_in_words_of_ours_alone() -> None:
    query = urlencode({"said": "registered-denied", "why": "call 0190-123,<b>,locked-out", "number": "9" * 9}).encode()
    body = ask(FakeLine(), "/", query=query, headers={"accept-language": "en"}).body
    assert "0190" not in body and "9" * 9 not in body and "locked out" in body


def test_the_form_is_for_whoever_is_there_when_it_is_rendered() -> None:
    body = ask(FakeLine(now=snapshot(visit="ab" * 16)), "/").body
    assert f'name="visit" id="for-visit" value="{"ab" * 16}"' in body
    assert json.loads(ask(FakeLine(now=snapshot(visit="ab" * 16)), "/now").body)["visit"] == "ab" * 16


def test_a_missed_round_is_named_as_people_call_it() -> None:
    missed = Alarm(id=ALARM, kind=AlarmKind.ROUND_MISSED, portal="main", since_ms=1, detail="r1")
    now = snapshot(alarms=(missed,), due={"r1": 1}, kinds={"r1": "disinfection"}, titles={"r1": "Lobby <3>"})
    body = ask(FakeLine(now=now), "/", headers={"accept-language": "en"}).body
    assert body.count("Disinfection · Lobby &lt;3&gt;") == 2 and "· r1" not in body


def test_a_card_is_offered_only_where_it_logs_in() -> None:
    """Not before somebody has given his PIN on that tablet since the gate started."""
    for by_card in ("", "tablet"):
        line = FakeLine(told=Answer(id=1, ok=True, tablet=by_card))
        said = ask(line, "/login", cookie=f"{COOKIE}; menshen-tablet=tablet")
        assert ("/login/card" in said.body) == bool(by_card)
    assert "/login/card" not in ask(FakeLine(), "/login").body
