"""The office's tests: a folder of their own, and the database a file in it, as it is in an office, so that a server in a
process of its own can be pointed at the very database that a test writes to. Tests that ask for `database` run a second
time on PostgreSQL."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections
from django.utils import translation
from pytest_django import DjangoDbBlocker

from central.database import postgresql
from menshen.demo.processes import menshen, run_once
from tests.postgres import Postgres

_FOLDER = Path(tempfile.mkdtemp(prefix="menshen-office-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)  # also where no test asks for the folder
os.environ["MENSHEN_OFFICE_DIR"] = str(_FOLDER)  # read when it is first used, which is after this


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """No test speaks the language of the page that another one has asked for."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def office_folder() -> Iterator[Path]:
    """The folder."""
    _FOLDER.mkdir(mode=0o700, exist_ok=True)
    yield _FOLDER
    shutil.rmtree(_FOLDER, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(office_folder: Path) -> None:
    """Where pytest-django makes the test database (its own name for this fixture)."""
    settings.DATABASES["default"]["TEST"]["NAME"] = str(office_folder / "office.sqlite3")


@pytest.fixture(scope="session")
def office_template(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with the office's tables and nothing in them; `Postgres.new_database` copies it."""
    name = postgres.new_database()
    folder = tmp_path_factory.mktemp("template")
    env = {"MENSHEN_OFFICE_DIR": str(folder), "MENSHEN_OFFICE_DATABASE": postgres.address(name)}
    run_once("migrate", menshen("office", "migrate"), env)
    return name


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """The office's database of this module's tests; they run once with each."""
    if request.param == "sqlite":
        yield "sqlite"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.new_database(request.getfixturevalue("office_template"))
    with django_db_blocker.unblock(), _office_database(server.address(name)):
        django_db_blocker.block()
        yield "postgresql"
        django_db_blocker.restore()


@contextmanager
def _office_database(address: str) -> Iterator[None]:
    """Let everything that asks for the office's database, in whatever thread, have this one."""
    from django.contrib.contenttypes.models import ContentType  # not before Django is set up

    before, connection = connections.settings["default"], connections["default"]
    connections.settings["default"] = connections.configure_settings({"default": postgresql(address)})["default"]
    connections["default"] = connections.create_connection("default")
    ContentType.objects.clear_cache()  # its keys are those of the other database
    try:
        yield
    finally:
        ContentType.objects.clear_cache()
        connections["default"].close()
        connections["default"], connections.settings["default"] = connection, before
