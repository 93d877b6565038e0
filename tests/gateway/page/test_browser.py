"""The guard's page in a real browser, from a real gate with simulated devices. There is neither broker nor office, unless a
test starts them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.drivers.camera.pictures import drawn, save
from tests.gateway.page.conftest import SIZES, axe, log_in, picture
from tests.gateway.page.guarded import CALM, OUT, PINS, RESIDENT, GuardedGate

pytestmark = pytest.mark.timeout(120)
FORCE = ["force", "leave"]
STRANGER = ["arrive", "forehead 36.4", "enter"]  # no pass, and waits for somebody
FEVER = ["arrive", "card resident", "forehead 38.6", "enter"]


@pytest.mark.parametrize(("size", "language", "granted"), [("tablet", "en", "Granted"), ("phone", "zh", "放行")])
def test_a_guard_begins_his_shift_and_sees_visits_live(
    window: BrowserContext, gate: GuardedGate, size: str, language: str, granted: str
) -> None:
    gate.play(*CALM)
    page = log_in(window, "Li", language)
    page.set_viewport_size({"width": SIZES[size][0], "height": SIZES[size][1]})
    picture(page, f"begin-{size}-{language}")
    page.locator("#bell").tap()
    expect(page.locator("#facts .facts")).to_contain_text("Li")  # the tap begins it, whether the bell is heard or not
    assert gate.wait_for("shift", action="begun")["by"] == "Li"
    page.locator("#not-heard").tap()
    expect(page.locator("#not-heard-hint")).to_be_visible()
    page.locator("#bell").tap()
    page.locator("#heard").tap()
    expect(page.locator("#begin")).to_be_hidden()
    first = page.locator("#visits tbody tr").first
    expect(first).to_contain_text(granted)
    before = first.inner_text()
    expect(first).not_to_have_text(before)  # the next one, without anything being tapped
    assert "36.5" not in page.content()
    picture(page, f"calm-{size}-{language}")


@pytest.mark.parametrize(
    ("size", "language", "kind", "button"),
    [("tablet", "en", "Door forced", "Acknowledge"), ("phone", "zh", "强行开门", "确认")],
)
def test_an_alarm_is_acknowledged_by_one_tap_with_a_note(
    window: BrowserContext, gate: GuardedGate, size: str, language: str, kind: str, button: str
) -> None:
    gate.play(FORCE, *[RESIDENT] * 40)
    page = log_in(window, "Li", language)
    page.set_viewport_size({"width": SIZES[size][0], "height": SIZES[size][1]})
    alarm = page.locator(".alarm-item", has_text=kind).first
    expect(alarm).to_be_visible()
    expect(alarm.locator(".to-do")).not_to_be_empty()
    expect(alarm.locator(".call")).to_be_visible()
    assert "(" in page.title()
    # the bell is still to be rung, and the office is not heard; people come and go, so the word is another one every few seconds
    page.wait_for_function(
        "() => [...document.querySelectorAll('#lane .big')].map((each) => each.getBoundingClientRect())"
        ".some((box) => box.height > 0 && box.top >= 0 && box.bottom < innerHeight / 2)"
    )
    picture(page, f"alarm-{size}-{language}")
    alarm.get_by_role("textbox").first.fill("lock was jammed")
    alarm.get_by_role("button", name=button).tap()
    record = gate.wait_for("alarm", by="Li", note="lock was jammed")
    assert record["alarm"]["kind"] == "door-forced"
    assert record["alarm"]["acknowledged_by"] == "Li"
    answered = page.locator(".alarm-item.heard", has_text=kind)  # it was shut again: what was done may still be written
    expect(answered).to_contain_text("lock was jammed")
    expect(answered.get_by_role("button", name=button)).to_have_count(0)


def test_what_was_done_is_written_down_and_the_siren_stops(window: BrowserContext, gate: GuardedGate) -> None:
    gate.play(FEVER, *[OUT] * 20)
    page = log_in(window)
    alarm = page.locator(".alarm-item", has_text="Fever").first
    expect(alarm).to_be_visible()
    expect(page.locator("#visits")).to_contain_text("38.")  # denied for it: the guard is to see it
    page.get_by_role("button", name="Stop the siren").tap()
    assert gate.wait_for("alarm", action="silenced")["by"] == "Li"
    alarm.locator("summary").tap()
    field = alarm.get_by_label("What was done").last
    field.fill("measured by han")
    field.press("End")
    field.press_sequentially("d, 36.7")
    page.get_by_role("button", name="Write down").first.tap()
    assert gate.wait_for("alarm", action="noted", what="done")["note"] == "measured by hand, 36.7"
    expect(alarm).to_be_visible()  # which acknowledges nothing


def test_the_gate_is_opened_with_a_reason(window: BrowserContext, gate: GuardedGate) -> None:
    gate.play(*CALM)
    page = log_in(window)
    open_for(page, "emergency")
    expect(page.locator("#said")).to_have_text("Done.")
    record = gate.wait_for("door", cause="guard", note="Emergency: doctor, police, fire brigade")
    assert record["by"] == "Li"
    page.locator("summary", has_text="Open the gate").tap()
    expect(page.locator("#release input:checked")).to_have_count(0)  # what was chosen last is not chosen for the next
    page.locator("#other").fill("<script>alert(1)</script>")
    page.get_by_role("button", name="Open now").tap()
    assert gate.wait_for("door", cause="guard", note="<script>alert(1)</script>")["by"] == "Li"


def open_for(page: Page, reason: str) -> None:
    """The form, then two taps: why, and open."""
    page.locator("#actions-title + details > summary").tap()
    page.locator(f"#release label:has([value={reason}])").tap()
    page.locator("#release button").tap()


@pytest.mark.parametrize(("size", "language"), [("tablet", "en"), ("phone", "zh"), ("phone", "en"), ("tablet", "zh")])
def test_a_blind_tap_opens_nothing_and_puts_no_reason_on_record(
    window: BrowserContext, gate: GuardedGate, size: str, language: str
) -> None:
    gate.play(*CALM)
    before = len(gate.records("door", cause="guard"))
    page = log_in(window, "Li", language)
    page.set_viewport_size({"width": SIZES[size][0], "height": SIZES[size][1]})
    form = page.locator("#actions-title + details")
    form.locator("summary").tap()
    expect(page.locator("#release [type=radio]:checked")).to_have_count(0)
    page.locator("#release button").tap()
    zh = language == "zh"
    refused = "门未打开：请先选原因，或写明原因。" if zh else "Not opened: choose a reason first, or write one."
    expect(page.locator("#said")).to_have_text(refused)
    assert not page.locator("#release").evaluate("form => form.checkValidity()")
    picture(page, f"release-{size}-{language}")
    page.locator("#release label:has([value=other])").tap()
    page.locator("#release button").tap()  # another reason, and no words for it
    assert not page.locator("#release").evaluate("form => form.checkValidity()")
    page.locator("#release label:has([value=delivery])").tap()
    form.locator("summary").tap()  # begun, and left
    form.locator("summary").tap()
    expect(page.locator("#release [type=radio]:checked")).to_have_count(0)
    page.locator("#release label:has([value=device])").tap()
    page.locator("#release button").tap()
    gate.inst.wait_until("it is opened", lambda: len(gate.records("door", cause="guard")) > before)
    gate.wait_for("door", cause="guard", note={"en": "A device does not work", "zh": "设备故障"}[language])
    assert len(gate.records("door", cause="guard")) == before + 1


@pytest.mark.parametrize(("size", "language", "register"), [("tablet", "en", "Register"), ("phone", "zh", "登记")])
def test_a_visitor_without_a_pass_is_registered_and_let_in(
    window: BrowserContext, gate: GuardedGate, size: str, language: str, register: str
) -> None:
    gate.play(STRANGER)
    before = len(gate.records("visit", outcome="granted"))
    page = log_in(window, "Li", language)
    page.set_viewport_size({"width": SIZES[size][0], "height": SIZES[size][1]})
    page.locator(".beside summary").nth(1).tap()
    page.locator("#visitor-name").fill("王小明")
    page.locator("#host").fill("3-2-501")
    page.locator("#phone").fill("139 0000 0000")
    page.locator("input[name=instead]").check()
    picture(page, f"register-{size}-{language}")
    expect(page.locator("#lane .big:visible")).to_have_text("Somebody is here" if language == "en" else "有人")
    page.get_by_role("button", name=register, exact=True).tap()
    gate.inst.wait_until("granted", lambda: len(gate.records("visit", outcome="granted")) > before)
    visit = gate.records("visit", outcome="granted")[-1]
    (registered,) = [each["data"] for each in visit["evidence"] if each["event"] == "registered"]
    assert registered["by"] == "Li"
    listed = gate.asked("visitors", registered["reference"])
    assert "王小明" in listed
    assert "3-2-501" in listed
    assert "王小明".encode() not in b"".join(
        file.read_bytes() for file in gate.inst.journal.parent.glob("journal.sqlite*")
    )
    assert "王小明" not in page.content()


def test_lockdown_is_the_leaders_and_the_count_is_everybodys(window: BrowserContext, gate: GuardedGate) -> None:
    gate.play(*CALM)
    page = log_in(window, "Li")
    page.locator("summary", has_text="Mode").tap()
    expect(page.get_by_label("Lockdown")).to_be_disabled()
    page.locator("summary", has_text="People inside").tap()
    page.get_by_label("People inside").fill("17")
    page.get_by_role("button", name="Correct the count").tap()
    assert gate.wait_for("count", inside=17)["by"] == "Li"
    page.get_by_role("button", name="Log out").tap()
    expect(page.locator("#pin")).to_be_visible()
    page = log_in(window, "Chen")
    page.locator("summary", has_text="Mode").tap()
    page.get_by_label("Lockdown").check()
    page.get_by_label("as a drill").check()
    page.get_by_role("button", name="Switch").tap()
    expect(page.locator("#lane .big:visible")).to_have_text("LOCKDOWN")
    expect(page.locator("#lane .drill")).to_have_text("DRILL")
    expect(page.locator("#standing .word:visible")).to_have_text("DRILL LOCKDOWN")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    picture(page, "lockdown-scrolled-tablet-en", whole=False)
    page.locator("#duties form", has_text="Supplies ready").get_by_role("button").tap()
    expect(page.locator("#duties")).to_contain_text("✓ Supplies ready")
    picture(page, "lockdown-tablet-en")
    assert gate.wait_for("mode", mode="lockdown", drill=True)["by"] == "Chen"
    assert gate.wait_for("drill", stage="supplies-ready")["by"] == "Chen"
    page.locator("summary", has_text="Mode").tap()
    page.get_by_label("Normal").check()
    page.get_by_role("button", name="Switch").tap()
    expect(page.locator("#facts .facts")).to_contain_text("Normal")
    assert gate.wait_for("mode", before="lockdown")["mode"] == "normal"


def test_a_page_that_is_killed_comes_back_and_the_gate_goes_on(window: BrowserContext, gate: GuardedGate) -> None:
    gate.play(*CALM)
    page = log_in(window)
    expect(page.locator("#lost")).to_be_hidden()
    before = len(gate.records("visit"))
    killed = gate.page_pid
    os.kill(killed, 9)
    expect(page.locator("#said")).to_be_attached()
    assert gate.wait_for("device", device="page", state="lost")["detail"] == "the page's process ended by SIGKILL"
    gate.wait_for("device", device="page", state="ok")
    assert gate.page_pid != killed
    gate.inst.wait_until("the gate goes on", lambda: len(gate.records("visit")) > before)
    seen = page.locator("#visits tbody tr").first.inner_text()
    expect(page.locator("#visits tbody tr").first).not_to_have_text(seen)  # live again, and nobody has logged in anew
    expect(page.locator("#lost")).to_be_hidden()


def test_it_says_loudly_that_the_gate_is_lost(window: BrowserContext, gate: GuardedGate) -> None:
    gate.play(*CALM)
    page = log_in(window)
    expect(page.locator("#no-office")).to_be_visible()  # there is no broker
    assert "no office" in page.title()
    gate.inst.stop("gate")
    expect(page.locator("#lost")).to_be_visible()
    expect(page.locator("#lost")).to_contain_text("THE GATE DOES NOT ANSWER")
    assert "GATE LOST" in page.title()
    expect(page.locator("#lane .big:visible")).to_have_text("? Not known")  # and not how it was last
    expect(page.locator("#standing .word:visible")).to_have_text("? Not known")
    picture(page, "lost-tablet-en")
    open_for(page, "known")
    expect(page.locator("#said")).to_contain_text("DOES NOT ANSWER")
    gate.play(*CALM)
    page.wait_for_url("**/login?said=logged-out")  # the gate has forgotten who was logged in
    expect(page.locator("#said")).to_have_text("You are no longer logged in.")


def test_it_says_when_the_office_is_heard_again(window: BrowserContext, gate: GuardedGate) -> None:
    gate.play(*CALM)
    page = log_in(window)
    expect(page.locator("#no-office")).to_be_visible()
    gate.inst.start("broker")
    gate.inst.start("ingest")
    try:
        expect(page.locator("#no-office")).to_be_hidden(timeout=60_000)
        assert "no office" not in page.title()
    finally:
        gate.inst.stop("ingest")
        gate.inst.stop("broker")
    expect(page.locator("#no-office")).to_be_visible()


def test_a_card_logs_in_where_its_guard_has_by_pin(window: BrowserContext, gate: GuardedGate) -> None:
    gate.play(*CALM)
    page = log_in(window, "Chen")
    page.get_by_role("button", name="Log out").tap()
    page.get_by_role("button", name="Show my card").tap()
    expect(page.locator(".me")).to_contain_text("Chen · leader on shift")  # whose card the people carry


def test_whoever_is_taken_off_the_file_is_out(window: BrowserContext, gate: GuardedGate) -> None:
    gate.play(*CALM)
    gate.guard("add", "Wu", "--pin", "904172")
    PINS["Wu"] = "904172"
    page = log_in(window, "Wu")
    gate.guard("remove", "Wu")
    open_for(page, "known")
    expect(page.locator("#pin")).to_be_visible()
    assert gate.records("door", by="Wu") == []


def test_wrong_pins_are_recorded_and_make_wait(window: BrowserContext, gate: GuardedGate) -> None:
    gate.play(*CALM)
    page = window.new_page()
    page.goto("/login")
    for _ in range(3):
        page.locator("#name").fill("Li")
        page.locator("#pin").fill("000001")
        page.keyboard.press("Enter")
        expect(page.locator("#said")).not_to_be_empty()
    expect(page.locator("#said")).to_contain_text("Too many wrong PINs")
    assert gate.wait_for("refused", what="page")["detail"] == "127.0.0.1"
    gate.inst.wait_until(
        "the alarm", lambda: any(_is_lock_out(each) for each in gate.records("alarm", action="raised"))
    )
    gate.inst.wait_until("its end", lambda: any(_is_lock_out(each) for each in gate.records("alarm", action="cleared")))


def _is_lock_out(record: dict[str, Any]) -> bool:
    return bool(record["alarm"]["kind"] == "lock-out" and record["alarm"]["detail"] == "page")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_axe_finds_nothing_and_everything_is_large_enough(
    window: BrowserContext, gate: GuardedGate, language: str
) -> None:
    gate.play(FORCE, FEVER, *[OUT] * 20)
    page = window.new_page()
    page.goto("/login")
    axe(page)
    page = log_in(window, "Chen", language)
    expect(page.locator(".alarm-item").first).to_be_visible()
    page.locator("summary").evaluate_all(  # all at once: the page is live
        "all => all.forEach(each => { each.parentElement.removeAttribute('name'); each.parentElement.open = true })"
    )
    for width, height in SIZES.values():
        page.set_viewport_size({"width": width, "height": height})
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        small = (
            "[...document.querySelectorAll('button,select,summary,a.phone,label.tick,input:not([type=hidden],[type=checkbox],[type=radio])')]"
            ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 56).map(e => e.outerHTML)"
        )
        assert page.evaluate(small) == []
        picture(page, f"everything-{width}-{language}")


def test_an_alarm_is_acknowledged_by_keyboard_alone(window: BrowserContext, gate: GuardedGate) -> None:
    gate.play(FORCE, *[RESIDENT] * 40)
    page = log_in(window)
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator(".alarm-item", has_text="Door forced").first).to_be_visible()
    page.locator("#visits").scroll_into_view_if_needed()
    expect(page.locator("#jump")).to_be_visible()
    page.evaluate("scrollTo(0, 0)")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == "Acknowledge":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "4px"
    before = len(gate.records("alarm", by="Li"))
    page.keyboard.press("Enter")
    gate.inst.wait_until("acknowledged", lambda: len(gate.records("alarm", by="Li")) > before)


def test_what_is_being_typed_survives_what_happens(window: BrowserContext, gate: GuardedGate) -> None:
    gate.play(FORCE, *CALM * 20)
    page = log_in(window)
    alarm = page.locator(".alarm-item", has_text="Door forced").first
    note = alarm.get_by_role("textbox").first
    note.fill("half a sen")
    seen = page.locator("#visits tbody tr").first.inner_text()
    expect(page.locator("#visits tbody tr").first).not_to_have_text(seen)
    expect(note).to_have_value("half a sen")
    expect(note).to_be_focused()


def test_it_works_without_scripts(chromium: Browser, gate: GuardedGate) -> None:
    gate.play(*CALM)
    context = chromium.new_context(base_url=gate.url, java_script_enabled=False)
    page = log_in(context, "Li", "zh")
    page.locator("summary", has_text="里面人数").click()
    page.locator("#inside").fill("23")
    page.get_by_role("button", name="更正人数").click()
    assert gate.wait_for("count", inside=23)["by"] == "Li"
    context.close()


def over(chromium: Browser, url: str, what: Callable[[BrowserContext], None]) -> None:
    context = chromium.new_context(base_url=url, ignore_https_errors=True)
    try:
        what(context)
    finally:
        context.close()


def test_it_is_served_with_the_gates_certificate(chromium: Browser, gate: GuardedGate, tmp_path: Path) -> None:
    from tests.certificates import Authority

    pair = Authority(tmp_path).issue("page")
    plain, gate.page = gate.page, gate.page.replace(
        "plaintext = true", f'certificate_file = "{pair.certificate}"\nkey_file = "{pair.key}"'
    )  # fmt: skip
    try:
        gate.configure()
        gate.play(*CALM)
        over(chromium, gate.url.replace("http:", "https:"), _look_at_cookies)
    finally:
        gate.page = plain
        gate.configure()


def _look_at_cookies(context: BrowserContext) -> None:
    log_in(context)
    cookies = {each["name"]: each for each in context.cookies()}
    assert {"__Host-menshen", "__Host-menshen-tablet"} <= set(cookies)
    for each in cookies.values():
        assert each["secure"]
        assert each["httpOnly"]
        assert each["sameSite"] == "Strict"


def photograph(folder: Path, *contents: str) -> Path:
    """As a telephone of 12 megapixels takes it: the codes on a paper, small in the picture."""
    sheet = drawn(*contents, module_px=14)
    photo = np.random.default_rng(1).integers(120, 180, (3_000, 4_000), np.uint8)
    photo[1_000 : 1_000 + sheet.shape[0], 700 : 700 + sheet.shape[1]] = sheet
    save(photo, folder / "paper.jpg")
    return folder / "paper.jpg"


def noted(gate: GuardedGate, plate: str) -> list[dict[str, Any]]:
    """The records that have this plate: of a visit, or of the vehicle alone."""
    return [*gate.records("vehicle", plate=plate), *gate.records("visit", plate=plate)]


@pytest.mark.parametrize(("size", "language"), [("tablet", "en"), ("phone", "zh")])
def test_a_plate_is_scanned_from_its_papers_looked_at_and_noted(
    window: BrowserContext, gate: GuardedGate, tmp_path: Path, size: str, language: str
) -> None:
    gate.play(*CALM)
    page = log_in(window, "Li", language)
    page.set_viewport_size({"width": SIZES[size][0], "height": SIZES[size][1]})
    page.locator("summary", has_text="车辆" if language == "zh" else "Vehicle").tap()
    camera, files = page.locator("#scan input").all()
    assert camera.get_attribute("capture") == "environment" and files.get_attribute("capture") is None
    label = page.get_by_label("扫码" if language == "zh" else "Scan", exact=True)
    assert label.and_(camera).count() == 1
    plate = "粤B12345" if size == "tablet" else "粤D12345"
    sent: list[Request] = []
    page.on("request", lambda each: sent.append(each) if "/plate/" in each.url else None)

    files.set_input_files(photograph(tmp_path, "https://permit.example/7"))
    expect(page.locator("#said")).to_contain_text("没有车牌" if language == "zh" else "no number plate in it")
    expect(page.locator("#plate")).to_have_value("")
    picture(page, f"no-plate-{size}-{language}")

    page.locator("#plate").fill("half typed")
    (tmp_path / "no.jpg").write_text("no picture")
    camera.set_input_files(tmp_path / "no.jpg")
    expect(page.locator("#said")).to_contain_text(
        "不是能读的图片" if language == "zh" else "no picture that can be read"
    )
    expect(page.locator("#plate")).to_have_value("half typed")  # as it was

    url = f"https://permit.example/p?plate={quote(plate)}&until=2026-12-31"
    camera.set_input_files(photograph(tmp_path, "https://permit.example/7", url))
    expect(page.locator("#plate")).to_have_value(plate)
    expect(page.locator("#said")).to_contain_text(plate)
    expect(page.locator("#said")).to_have_attribute("aria-live", "polite")
    length = int(sent[-1].all_headers()["content-length"])
    assert length < 1_500_000 < (tmp_path / "paper.jpg").stat().st_size / 3  # made smaller before it went over the air
    picture(page, f"scanned-{size}-{language}")
    assert noted(gate, plate) == []  # by the guard alone
    page.get_by_role("button", name="记下车牌" if language == "zh" else "Note the plate").tap()
    gate.inst.wait_until("noted", lambda: bool(noted(gate, plate)))


def test_a_hand_scanner_types_a_plate_and_its_enter_notes_it(window: BrowserContext, gate: GuardedGate) -> None:
    gate.play(*CALM)
    page = log_in(window)
    page.locator("summary", has_text="Vehicle").tap()
    page.locator("#plate").focus()
    page.keyboard.type("AB12345\n")
    gate.inst.wait_until("noted", lambda: bool(noted(gate, "AB12345")))
    expect(page.locator("#plate")).to_have_value("")
    # more than a plate has: what is in it is put into the field, to be looked at; a second Enter notes it
    page.locator("summary", has_text="Vehicle").tap()
    page.locator("#plate").focus()
    page.keyboard.type("https://permit.example/p?plate=%E7%B2%A4B54321\n")
    expect(page.locator("#plate")).to_have_value("粤B54321")
    assert noted(gate, "粤B54321") == noted(gate, "https://permit.e") == []
    page.keyboard.press("Enter")
    gate.inst.wait_until("noted", lambda: bool(noted(gate, "粤B54321")))
    assert noted(gate, "https://permit.e") == []


def test_the_scan_is_reached_and_begun_by_keyboard(window: BrowserContext, gate: GuardedGate, tmp_path: Path) -> None:
    gate.play(*CALM)
    page = log_in(window)
    page.locator("summary", has_text="Vehicle").tap()
    page.locator("#plate").focus()
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    expect(focused).to_have_attribute("capture", "environment")
    assert page.evaluate("getComputedStyle(document.activeElement.parentElement).outlineWidth") == "4px"
    with page.expect_file_chooser() as chosen:
        page.keyboard.press("Enter")
    chosen.value.set_files(photograph(tmp_path, "车牌:粤B·77777"))
    expect(page.locator("#plate")).to_have_value("粤B77777")
    expect(focused).to_have_attribute("capture", "environment")  # and nowhere else
