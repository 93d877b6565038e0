"""Clerks, gates, and an office that is really being served."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage
from pytest_django import Settings

from central.accounts.models import User
from menshen.demo.processes import Child, free_port, menshen, wait_for_port
from tests.central.web.making import GateAtWork

# Playwright's own loop runs in the tests' thread; nothing of Django's runs in it
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
PASSWORD = "gate-of-two-gods"


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """Django's own advice for tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def clerk(db: None) -> User:
    """Somebody who may log in."""
    return User.objects.create_user("li", password=PASSWORD)


@pytest.fixture
def office(client: Client, clerk: User) -> Client:
    """A browser without a screen, logged in."""
    client.force_login(clerk)
    return client


@pytest.fixture
def gate(db: None) -> GateAtWork:
    """An admitted gate."""
    return GateAtWork()


@contextmanager
def serving(office_folder: Path, *options: str) -> Iterator[str]:
    """The address of an office that is served by a process of its own, from the tests' database."""
    port = free_port()
    command = menshen("office", "serve", "--port", str(port), *options)
    environment = {"MENSHEN_OFFICE_DIR": str(office_folder), "MENSHEN_LOG": "WARNING"}
    child = Child("office", command, office_folder / "served.log", env=environment)
    try:
        wait_for_port(child, "127.0.0.1", port)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.stop()


@pytest.fixture(scope="session")
def server(django_db_setup: None, office_folder: Path) -> Iterator[str]:
    """The address of one that sends no commands."""
    with serving(office_folder) as address:
        yield address


def _is_complaint(message: ConsoleMessage) -> bool:
    # two things are done on purpose: asking for a page that is not there, and an office that does not answer
    on_purpose = message.location["url"].endswith("/nowhere/") or "502" in message.text
    return message.type == "error" and not on_purpose


@pytest.fixture
def window(chromium: Browser, server: str, transactional_db: None) -> Iterator[BrowserContext]:
    """A window in which nobody is logged in yet; whatever a page complains of to its console fails the test."""
    context = chromium.new_context(base_url=server, locale="en-GB", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(20_000)
    complaints: list[str] = []
    context.on("console", lambda message: complaints.append(message.text) if _is_complaint(message) else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    context.close()
    assert complaints == []


@pytest.fixture
def seated(window: BrowserContext, server: str) -> BrowserContext:
    """A window in which a clerk is logged in."""
    client = Client()
    client.force_login(User.objects.create_user("li", password=PASSWORD))
    window.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": server}])
    return window
