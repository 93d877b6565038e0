"""The directory's pages in a real browser, from an office that is served with a real broker."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships none
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from central.accounts.models import User
from central.holders.models import Holder, ModeOrder
from central.orders.models import Order
from central.registry.models import Gate
from sync.contract.alarms import AlarmKind
from tests.central.ingest.sending import NORTH
from tests.central.orders.answering import EXECUTED, KEY, LOCKED, AtGate
from tests.central.web.conftest import serving
from tests.central.web.making import GateAtWork
from tests.mosquitto import Mosquitto, running_mosquitto

pytestmark = pytest.mark.timeout(120)
SITE = "garden-court"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with running_mosquitto(tmp_path_factory.mktemp("broker")) as started:
        yield started


@pytest.fixture(scope="module")
def server(
    django_db_setup: None, office_folder: Path, broker: Mosquitto, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of an office that sends commands."""
    key = tmp_path_factory.mktemp("key") / "office.pem"
    key.touch(mode=0o600)
    key.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    there = ("--broker", "127.0.0.1", "--broker-port", str(broker.port), "--signing-key", str(key))
    with serving(office_folder, *there) as address:
        yield address


@pytest.fixture
def page(window: BrowserContext, server: str) -> Page:
    """A window at which staff sits; the office has a gate that is connected and one that is not."""
    client = Client()
    client.force_login(User.objects.create_user("li", is_staff=True, is_superuser=True))
    window.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": server}])
    gate = GateAtWork(NORTH)
    gate.state()
    gate.alarm(AlarmKind.DOOR_FORCED)
    Gate.objects.filter(pk=NORTH).update(site=SITE, name="北门 North gate")
    Gate.objects.create(pk="west-gate", site=SITE, admitted=True)
    return window.new_page()


def order_release(page: Page) -> None:
    page.goto("/admin/holders/gatecommand/")
    page.get_by_role("link", name="Add command").click()
    page.get_by_label("Gate:").select_option(NORTH)
    page.get_by_label("What:").select_option("release")
    page.get_by_label("Why, or what was done:").fill("wheelchair")
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_text("Let somebody in: release the door · wheelchair")).to_be_visible()
    page.get_by_role("button", name="Yes, order it").click()


def test_a_command_is_chosen_confirmed_and_what_became_of_it_is_seen(page: Page, broker: Mosquitto) -> None:
    there = AtGate(broker.port, EXECUTED)
    try:
        order_release(page)
        expect(page.get_by_text("✓ Carried out").first).to_be_visible()
        page.reload()
        assert len(there.commands) == 1, "to look once more is not to order once more"
    finally:
        there.link.stop()
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_text("✓ 已执行").first).to_be_visible()
    expect(page.get_by_text("放人进入：开门").first).to_be_visible()


def test_a_refusal_and_a_gate_that_does_not_answer_are_told(page: Page, broker: Mosquitto) -> None:
    there = AtGate(broker.port, LOCKED)
    try:
        order_release(page)
        expect(page.get_by_text("✕ Refused by the gate: gate in lockdown").first).to_be_visible()
    finally:
        there.link.stop()
    there = AtGate(broker.port, None)
    try:
        order_release(page)
        expect(
            page.get_by_text(
                "✕ Not delivered: no answer from the gate in time: it may have been carried out all the same, look at the door"
            ).first
        ).to_be_visible()
    finally:
        there.link.stop()
    assert Order.objects.count() == 2


def test_a_mode_is_ordered_from_the_page_of_gates_in_two_steps(page: Page) -> None:
    page.goto("/admin/holders/sitegate/")
    page.get_by_role("row", name="west-gate").get_by_role("link", name="mode").click()
    expect(page.get_by_label("Gate:")).to_have_value("west-gate")
    page.get_by_label("Mode:").select_option("lockdown")
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_text("Nobody is let in")).to_be_visible()
    assert not ModeOrder.objects.exists()
    page.get_by_role("button", name="Yes, order it").click()
    expect(page.get_by_text("Ordered. The page of gates tells")).to_be_visible()
    expect(page.get_by_role("row", name="west-gate")).to_contain_text("waits for the gate")
    expect(page.get_by_role("row", name="North gate")).to_contain_text("nothing ordered")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("width", [1200, 390])
def test_the_pages_are_readable_by_everybody_and_no_wider_than_the_window(
    page: Page, server: str, language: str, width: int
) -> None:
    page.context.add_cookies([{"name": "django_language", "value": language, "url": server}])
    page.set_viewport_size({"width": width, "height": 844})
    Holder.objects.create(site=SITE, reference="h-1", name="李四")
    for address in ("gatecommand/add/", "modeorder/add/", "countorder/add/", "sitegate/", "holder/"):
        look_at(page, f"/admin/holders/{address}", width)
    look_at(page, "/admin/import/", width)
    page.goto(f"/admin/holders/gatecommand/add/?gate={NORTH}&action=say&phrase=guard-comes")
    page.locator("[type=submit]").last.click()
    page.wait_for_selector("[name=sure]")
    look_at(page, None, width)


def look_at(page: Page, address: str | None, width: int) -> None:
    """At this page, or at the one that is open."""
    if address is not None:
        page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
    # what Django's style sheets import would be loaded once more, in a way that the pages' policy forbids
    found = Axe().run(page, context="#content", options={"preload": False})
    assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"
