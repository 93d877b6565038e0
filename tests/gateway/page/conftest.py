"""One gate with its page for all tests of a module, and windows onto it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships none
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.gateway.page.guarded import PINS, GuardedGate

PICTURES = os.environ.get("MENSHEN_PICTURES")
"""A folder to put pictures of the page into, for people to look at."""
SIZES = {"tablet": (1024, 768), "phone": (390, 844)}


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedGate]:
    """Nothing of it runs until the test lets it play."""
    gate = GuardedGate(tmp_path_factory.mktemp("guarded"))
    yield gate
    gate.inst.close()


def _is_complaint(message: ConsoleMessage) -> bool:
    # what tests do on purpose: a wrong PIN, an order that is refused, a page that is killed
    on_purpose = ("status of 403", "status of 409", "status of 401", "ERR_", "429")
    return message.type == "error" and not any(each in message.text for each in on_purpose)


@pytest.fixture
def window(chromium: Browser, gate: GuardedGate) -> Iterator[BrowserContext]:
    """A tablet on which nobody has logged in; whatever a page complains of to its console fails the test."""
    width, height = SIZES["tablet"]
    context = chromium.new_context(base_url=gate.url, viewport={"width": width, "height": height}, has_touch=True)
    context.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)
    complaints: list[str] = []
    context.on("console", lambda message: complaints.append(message.text) if _is_complaint(message) else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    context.close()
    assert complaints == []


def log_in(window: BrowserContext, name: str = "Li", language: str = "en") -> Page:
    """By PIN, in a language."""
    page = window.new_page()
    page.goto("/login")
    if page.locator("html").get_attribute("lang") != {"en": "en", "zh": "zh-Hans"}[language]:
        page.locator("header button").click()
    page.locator("#name").fill(name)
    page.locator("#pin").fill(PINS[name])
    page.keyboard.press("Enter")
    expect(page.locator("#lane")).to_be_visible()
    return page


def picture(page: Page, name: str, *, whole: bool = True) -> None:
    """For people; `whole`: the whole page, and not what is seen of it."""
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=whole)


def axe(page: Page) -> None:
    """It finds nothing."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
