"""What tests of several parts share: one real browser and one real PostgreSQL server in each worker."""

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.long import LONG

if TYPE_CHECKING:
    from tests.postgres import Postgres

CHROMIUM = shutil.which("chromium")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--all`: the long ones too."""
    parser.addoption("--all", action="store_true", help="also the tests that `make test` leaves out (tests/long.py)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long ones out, unless they are asked for: all of them, or by their file's or their own name."""
    if config.getoption("--all") or any("::" in each or each.endswith(".py") for each in config.args):
        return
    long = [item for item in items if LONG.search(item.nodeid)]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in set(long)]


# No screen, no sandbox (the tests may run as root), and nothing of the browser's own that would look for a network.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real browser without a window. One for the whole worker: Playwright allows no second loop in a thread."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: make test installs it as root")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator["Postgres"]:
    """A real server, for whoever makes databases of its own in it."""
    from tests.postgres import running_postgres  # psycopg, for those only who ask

    with running_postgres() as server:
        yield server
