"""Who sees what: the login, its throttle, the one-time password, and what every answer carries."""

import re

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, reverse

from central.accounts.models import User, give_one_time_password
from central.accounts.throttle import FAILURES
from central.urls import urlpatterns
from tests.central.web.conftest import PASSWORD
from tests.central.web.making import GateAtWork

_PUBLIC = {"login", "set_language", "register", "registered", "registered-part"}  # the latter: tests/central/visitors
_ARGUMENTS = {
    "alarm": ["0" * 32],
    "alarm-note": ["0" * 32],
    "alarm-tell": ["0" * 32],
    "admit": ["north-gate"],
    "gate-devices": ["north-gate"],
    "gate-devices-rows": ["north-gate"],
    **{
        f"drill{part}": [1]
        for part in (
            "",
            "-timeline",
            "-begin",
            "-stamp",
            "-end",
            "-forget",
            "-report",
            "-begun-there",
            "-begun-there-timeline",
        )
    },
    "import-preview": [1],
    "visitor-sign": ["north-gate"],
    "renew-visitor-sign": ["north-gate"],
}


@pytest.fixture(autouse=True)
def nobody_waits() -> None:
    cache.clear()


def _addresses() -> list[str]:
    names = [each.name for each in urlpatterns if isinstance(each, URLPattern) and each.name]
    return [reverse(name, args=_ARGUMENTS.get(name)) for name in names if name not in _PUBLIC] + ["/"]


@pytest.mark.parametrize("address", _addresses())
@pytest.mark.parametrize("method", ["get", "post"])
def test_everything_needs_a_login(client: Client, db: None, address: str, method: str) -> None:
    answer = getattr(client, method)(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith(("/login/?next=", "/admin/login/?next="))  # which leads to the other


def test_a_piece_of_a_page_sends_the_whole_page_to_the_login(client: Client, db: None) -> None:
    shown = "http://testserver/entries/?q=h-1"
    answer = client.get("/entries/rows/", headers={"HX-Request": "true", "HX-Current-URL": shown})
    assert answer["HX-Redirect"] == "/login/?next=%2Fentries%2F%3Fq%3Dh-1"
    assert "Location" not in answer.headers


@pytest.mark.parametrize("address", ["/login/", "/entries/", "/alarms/", "/gates/", "/password/", "/nowhere/"])
def test_what_every_page_carries(office: Client, gate: GateAtWork, address: str) -> None:
    if address == "/login/":
        office.logout()
    answer = office.get(address)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "unsafe" not in policy
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    page = answer.content.decode()
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|javascript:", page)


def test_cookies(client: Client, clerk: User) -> None:
    client.get("/login/")
    client.post("/login/", {"username": "li", "password": PASSWORD})
    session, token = client.cookies["sessionid"], client.cookies["csrftoken"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"
    assert token["httponly"]
    assert token["samesite"] == "Strict"


def test_the_login_leads_to_the_entry_log(client: Client, clerk: User) -> None:
    answer = client.post("/login/", {"username": "li", "password": PASSWORD}, follow=True)
    assert answer.redirect_chain == [("/entries/", 302)]
    assert b"Entry log" in answer.content


def test_the_login_leads_nowhere_else(client: Client, clerk: User) -> None:
    answer = client.post("/login/", {"username": "li", "password": PASSWORD, "next": "https://elsewhere.example/"})
    assert answer["Location"] == "/entries/"


def test_guessing_is_slow(client: Client, clerk: User) -> None:
    for _ in range(FAILURES):
        answer = client.post("/login/", {"username": "LI", "password": "wrong"})
        assert b"Too many attempts" not in answer.content
    answer = client.post("/login/", {"username": "li", "password": PASSWORD})
    assert b"Too many attempts" in answer.content
    assert "sessionid" not in client.cookies


def test_a_login_forgives_the_failures_before_it(client: Client, clerk: User) -> None:
    for _ in range(FAILURES - 1):
        client.post("/login/", {"username": "li", "password": "wrong"})
    client.post("/login/", {"username": "li", "password": PASSWORD})
    client.logout()
    client.post("/login/", {"username": "li", "password": "wrong"})
    assert client.post("/login/", {"username": "li", "password": PASSWORD}).status_code == 302


def test_others_are_not_kept_waiting(client: Client, clerk: User) -> None:
    for _ in range(FAILURES + 1):
        client.post("/login/", {"username": "wang", "password": "wrong"})
    assert client.post("/login/", {"username": "li", "password": PASSWORD}).status_code == 302


def test_a_one_time_password_opens_nothing_but_its_own_change(client: Client, db: None) -> None:
    given = give_one_time_password("wang")
    assert re.fullmatch(r"(?:[a-z2-9]{4}-){3}[a-z2-9]{4}", given)
    client.post("/login/", {"username": "wang", "password": given})
    for address in ("/entries/", "/alarms/", "/gates/", "/alarms/bar/"):
        assert client.get(address)["Location"] == "/password/"
    piece = client.get("/entries/rows/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/entries/"})
    assert piece["HX-Redirect"] == "/password/"
    page = client.get("/password/").content.decode()
    assert "made by somebody else" in page
    assert "Open alarms" not in page
    new = {"old_password": given, "new_password1": PASSWORD, "new_password2": PASSWORD}
    assert client.post("/password/", new)["Location"] == "/entries/"
    assert client.get("/entries/").status_code == 200
    client.logout()
    client.post("/login/", {"username": "wang", "password": given})
    assert "sessionid" not in client.cookies or not client.session.get("_auth_user_id")


def test_a_weak_password_is_refused(office: Client) -> None:
    weak = {"old_password": PASSWORD, "new_password1": "12345678", "new_password2": "12345678"}
    page = office.post("/password/", weak).content.decode()
    assert "This password is too short" in page


def test_a_new_password_from_the_office_ends_what_was_open(office: Client, clerk: User) -> None:
    assert office.get("/entries/").status_code == 200
    give_one_time_password("li")
    assert office.get("/entries/")["Location"].startswith("/login/")


@pytest.mark.parametrize("address", ["/alarms/acknowledge/", "/gates/north-gate/admit/", "/language/", "/logout/"])
def test_nothing_is_changed_without_a_token(clerk: User, gate: GateAtWork, address: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(clerk)
    answer = client.post(address, {"language": "en"})
    assert answer.status_code == 403
    assert b"Nothing was changed" in answer.content


@pytest.mark.parametrize("address", ["/alarms/acknowledge/", "/gates/north-gate/admit/", "/logout/"])
def test_nothing_is_changed_by_looking(office: Client, gate: GateAtWork, address: str) -> None:
    assert office.get(address).status_code == 405


def test_logging_out(office: Client) -> None:
    assert office.post("/logout/")["Location"] == "/login/"
    assert office.get("/entries/")["Location"].startswith("/login/")
