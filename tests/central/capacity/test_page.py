"""The page of how many are inside."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships none
from django.test import Client
from django.utils.timezone import now as office_now
from playwright.sync_api import BrowserContext, expect

from central.holders.models import PolicyValue
from central.registry.models import Gate
from tests.central.web.making import GateAtWork
from tests.central.web.test_alarms import text

SITE = "garden-court"


def gates_of_a_site(*inside: int) -> None:
    for number, count in enumerate(inside):
        GateAtWork(f"gate-{number}").state(inside=count)
        Gate.objects.filter(pk=f"gate-{number}").update(site=SITE, name=f"Gate {number}")


def shown(office: Client) -> str:
    return text(office.get("/inside/").content).partition("Log out")[2]


def policy(gate: str = "", **values: str) -> None:
    for key, value in values.items():
        PolicyValue.objects.update_or_create(site=SITE, gate=gate, key=f"capacity.{key}", defaults={"value": value})


def test_without_gates_or_limit_nothing_is_claimed(office: Client) -> None:
    assert "No gate belongs to a site yet" in shown(office)
    gates_of_a_site(7)
    page = shown(office)
    assert "7 No limit" in page and "there may be one in the gate's own file" in page


def test_a_site_counted_together_with_a_limit_in_per_cent(office: Client) -> None:
    gates_of_a_site(20, 3)
    policy(limit="100", percent="30", site_wide="true")
    page = shown(office)
    assert "23 of 30 Room left" in page and "76 % used · 7 more may come in" in page
    assert "All gates are counted together" in page
    policy(warn_percent="70")
    assert "Nearly full" in shown(office)
    GateAtWork("gate-1").state(inside=12, connection=2)
    assert "32 of 30 Full" in shown(office) and "0 more may come in" in shown(office)


def test_each_gate_by_itself_has_its_own_limit(office: Client) -> None:
    gates_of_a_site(9, 20)
    policy(limit="10")
    policy("gate-1", limit="30")
    page = shown(office)
    assert "Each gate counts by itself" in page
    assert "Gate 0 9 / 10 Online Nearly full" in page and "Gate 1 20 / 30 Online Room left" in page


def test_the_last_number_of_a_gate_that_is_offline_counts_and_that_is_told(office: Client) -> None:
    gates_of_a_site(2, 5)
    policy(limit="10", site_wide="true")
    Gate.objects.filter(pk="gate-1").update(last_heard=office_now() - timedelta(hours=1))
    page = shown(office)
    assert "7 of 10" in page and "Gate 1 is offline: its last number, 5, still counts." in page


@pytest.mark.parametrize("value", ['"40"', "null", "[1]", "{}", "1e400"])
def test_a_value_that_no_gate_takes_is_no_limit(office: Client, value: str) -> None:
    gates_of_a_site(2)
    policy(limit=value)
    assert office.get("/inside/").status_code == 200


@pytest.mark.timeout(90)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("width", [1200, 390])
def test_it_can_be_read_by_everybody_and_changes_by_itself(
    seated: BrowserContext, server: str, language: str, width: int
) -> None:
    seated.add_cookies([{"name": "django_language", "value": language, "url": server}])
    gates_of_a_site(20, 3)
    policy(limit="100", percent="30", site_wide="true")
    page = seated.new_page()
    page.set_viewport_size({"width": width, "height": 844})
    page.goto("/inside/")
    expect(page.locator(".big strong")).to_have_text("23")
    GateAtWork("gate-1").state(inside=10, connection=2)
    expect(page.locator(".big strong")).to_have_text("30")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
