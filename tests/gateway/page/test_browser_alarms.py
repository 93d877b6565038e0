"""The guard's page with ten alarms, in a real browser: what is worst stands first, and the lane's word stays in sight."""

import time

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from sync.contract.alarms import Alarm, AlarmKind, Level
from tests.gateway.page.conftest import SIZES, axe, log_in, picture
from tests.gateway.page.guarded import CALM, PINS, RESIDENT, GuardedGate

pytestmark = pytest.mark.timeout(120)
BAR = 0.15  # of the screen's height
WAYS = pytest.mark.parametrize(("size", "language"), [(size, language) for size in SIZES for language in ("en", "zh")])
KINDS = (
    AlarmKind.FEVER, AlarmKind.TAILGATING, AlarmKind.CALL, AlarmKind.CLOCK, AlarmKind.ANTI_PASSBACK,
    AlarmKind.HOME_OBSERVATION, AlarmKind.REFUSED_PASSED, AlarmKind.JOURNAL_REPLACED, AlarmKind.ROUND_MISSED,
)  # fmt: skip
LEAVES = ["force", "leave"]


def nine() -> list[Alarm]:
    """Whose names are not in the order of their urgency, and of which the least are the newest, and have risen."""
    now_ms = int(time.time() * 1000)
    return [
        Alarm(id=f"{at:032x}", kind=kind, portal="main", since_ms=now_ms - 60_000 * (10 - at),
              detail="lift" if kind is AlarmKind.ROUND_MISSED else "", level=Level.LEADER if at > 6 else Level.GATE)
        for at, kind in enumerate(KINDS)
    ]  # fmt: skip


def ten(window: BrowserContext, gate: GuardedGate, size: str, language: str) -> Page:
    """The page with nine alarms from before and a door that was forced now."""
    gate.hold(nine())
    gate.play(LEAVES, *[RESIDENT] * 40)
    page = log_in(window, "Li", language)
    page.set_viewport_size({"width": SIZES[size][0], "height": SIZES[size][1]})
    expect(page.locator(".alarm-item:not(.heard)")).to_have_count(10)
    return page


def standing(page: Page, height: int) -> None:
    """The lane's word and shape are in sight, and take no more than they may."""
    box, word, shape, seen = page.evaluate(BAR_NOW)  # all at once: it is live
    assert box["y"] == 0 and box["height"] <= BAR * height
    for each in (word, shape):
        assert each["y"] >= 0 and each["y"] + each["height"] <= box["height"] + 1
        assert each["x"] >= 0 and each["x"] + each["width"] <= box["x"] + box["width"]
    assert seen, "something covers it"


BAR_NOW = """() => {
  const bar = document.querySelector("#standing > div"), word = bar.querySelector(".word:not(.unknown)");
  const [box, at, shape] = [bar, word, bar.querySelector(".shape")].map((each) => each.getBoundingClientRect().toJSON());
  const top = document.elementFromPoint(at.x + at.width / 4, at.y + at.height / 2);
  return [box, at, shape, bar.contains(top)];
}"""


@WAYS
def test_the_lanes_word_stays_in_sight_while_alarms_are_scrolled(
    window: BrowserContext, gate: GuardedGate, size: str, language: str
) -> None:
    page = ten(window, gate, size, language)
    height = SIZES[size][1]
    picture(page, f"ten-top-{size}-{language}", whole=False)
    picture(page, f"ten-whole-{size}-{language}")
    covered = page.evaluate(
        "() => { const box = document.querySelector('#lane .big').getBoundingClientRect();"
        " return Boolean(document.elementFromPoint(box.x + 5, box.y + box.height / 2).closest('#standing')) }"
    )
    assert not covered, "at the top it is hidden behind the large word"
    for part in (0.25, 0.5, 1.0):
        page.evaluate("part => scrollTo(0, part * (document.body.scrollHeight - innerHeight))", part)
        standing(page, height)
        axe(page)
    page.evaluate("document.querySelectorAll('.alarm-item')[4].scrollIntoView()")
    picture(page, f"ten-scrolled-{size}-{language}", whole=False)
    words = "['#lane .big', '#standing .word'].map(each => document.querySelector(each).textContent)"
    assert len(set(page.evaluate(words))) == 1
    assert page.locator("#standing").get_attribute("aria-hidden") == "true"  # it is read once, where the lane is


@pytest.mark.parametrize("size", SIZES)
def test_type_that_is_twice_as_large_leaves_room_for_the_alarms(
    window: BrowserContext, gate: GuardedGate, size: str
) -> None:
    page = ten(window, gate, size, "en")
    page.evaluate("document.documentElement.style.fontSize = '36px'")
    page.evaluate("scrollTo(0, document.body.scrollHeight / 3)")
    standing(page, SIZES[size][1])
    picture(page, f"ten-large-{size}", whole=False)


@pytest.mark.parametrize(("size", "language"), [("phone", "zh"), ("tablet", "en")])
def test_the_bar_covers_nothing_that_has_the_focus(
    window: BrowserContext, gate: GuardedGate, size: str, language: str
) -> None:
    page = ten(window, gate, size, language)
    page.locator("#siren").tap()  # so that there is an answer, too
    expect(page.locator("#said")).not_to_be_empty()
    for key in ("Tab", "Shift+Tab"):
        seen = 0
        for _ in range(90):
            page.keyboard.press(key)
            about = page.evaluate(COVERED)
            if about is None:
                break
            assert about == "", f"{key}: {about}"
            seen += 1
        assert seen > 30


COVERED = """() => {
  const each = document.activeElement;
  if (!each || each === document.body) return null;
  if (each.closest(".skip, header")) return "";
  const box = each.getBoundingClientRect(), x = box.x + box.width / 2;
  for (const y of [box.y + 4, box.y + box.height - 4]) {
    const top = document.elementFromPoint(x, y);
    if (!top || !(each.contains(top) || top.contains(each) || top.closest("label")?.contains(each)))
      return `${each.outerHTML.slice(0, 200)} at ${y} is under ${top && top.outerHTML.slice(0, 200)}`;
  }
  return "";
}"""


@WAYS
def test_the_most_urgent_alarm_is_the_first(
    window: BrowserContext, gate: GuardedGate, size: str, language: str
) -> None:
    page = ten(window, gate, size, language)
    first = page.locator(".alarm-item").first
    expect(first).to_contain_text({"en": "Door forced", "zh": "强行开门"}[language])
    order = page.locator(".alarm-item").evaluate_all("all => all.slice(1).map(each => parseInt(each.id.slice(6), 16))")
    assert order == [6, 5, 1, 0, 2, 8, 7, 4, 3]  # the alarm tone, the night guard's, none that have risen, none


TONES = """(() => {
  window.tones = 0;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...given) {
    if (this.context.state === "running") window.tones += 1;
    return start.apply(this, given);
  };
})()"""


def rings(page: Page, gate: GuardedGate, times: int) -> None:
    gate.inst.wait_until("it rings", lambda: bool(page.evaluate(f"window.tones >= {times}")))


@WAYS
def test_a_tablet_at_the_wall_goes_on_after_a_restart_of_the_gate(
    chromium: Browser, window: BrowserContext, gate: GuardedGate, size: str, language: str
) -> None:
    window.add_init_script(TONES)
    page = ten(window, gate, size, language)
    page.locator("#bell").tap()
    expect(page.locator("#heard")).to_be_focused()
    gate.inst.stop("gate")
    expect(page.locator("#lost")).to_be_visible()
    gate.play(*CALM * 30)
    page.wait_for_url("**/login?said=logged-out")
    expect(page.locator("#open .alarm-item")).to_have_count(10)
    expect(page.locator("#open .alarm-item").first).to_contain_text({"en": "Door forced", "zh": "强行开门"}[language])
    expect(page.locator("#lane .big:visible")).to_be_visible()
    word = page.locator("#lane .big:visible").inner_text()
    expect(page.locator("#lane .big:visible")).not_to_have_text(word)  # it is live
    assert "(10)" in page.title()
    rings(page, gate, 8)  # without a tap on this page
    expect(page.locator("#mute")).to_be_hidden()
    assert "Li" not in page.locator("#watch").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    axe(page)
    picture(page, f"wall-{size}-{language}")
    picture(page, f"wall-{size}-{language}-seen", whole=False)
    page.locator("#name").fill("Li")  # stays as it is typed, whatever happens meanwhile
    rings(page, gate, 16)
    expect(page.locator("#name")).to_have_value("Li")
    gate.inst.stop("gate")
    expect(page.locator("#lost")).to_be_visible()
    expect(page.locator("#lane .big:visible")).to_have_text({"en": "? Not known", "zh": "? 情况不明"}[language])
    picture(page, f"wall-lost-{size}-{language}", whole=False)
    gate.play(*CALM * 30)
    expect(page.locator("#lost")).to_be_hidden()
    page.locator("#pin").fill(PINS["Li"])
    page.keyboard.press("Enter")
    expect(page.locator(".me")).to_contain_text("Li")
    stranger = chromium.new_context(base_url=gate.url)
    other = stranger.new_page()
    other.goto("/login")
    expect(other.locator("#pin")).to_be_visible()
    assert other.locator("#watch").count() == 0 and other.request.get("/watch").status == 401
    stranger.close()
