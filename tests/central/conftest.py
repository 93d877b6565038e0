"""The office's tests: a folder of their own, and the database a file in it, as it is in an office, so that a server in a
process of its own can be pointed at the very database that a test writes to."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

_FOLDER = Path(tempfile.mkdtemp(prefix="menshen-office-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)  # also where no test asks for the folder
os.environ["MENSHEN_OFFICE_DIR"] = str(_FOLDER)  # read when it is first used, which is after this


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
