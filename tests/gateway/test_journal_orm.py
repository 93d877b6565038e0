"""A gate has no PostgreSQL driver in its memory, whatever else is installed beside it."""

import subprocess
import sys
from importlib.util import find_spec

import pytest


@pytest.mark.skipif(find_spec("psycopg") is None, reason="there is no psycopg here to be kept out")
@pytest.mark.parametrize(
    ("first", "loaded"),
    [("", False), ("import psycopg; ", True)],  # the second: an office in the same process, as in these tests
)
def test_psycopg_stays_out_and_can_still_be_had(first: str, loaded: bool) -> None:
    probe = (
        f"{first}import sys, gateway.gate; print('peewee' in sys.modules, 'psycopg' in sys.modules);"
        "import psycopg; print(psycopg.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"True {loaded}", "psycopg"]


@pytest.mark.skipif(find_spec("psycopg") is None, reason="there is no psycopg here to be kept out")
def test_control_peewee_by_itself_brings_it_in() -> None:
    probe = "import sys, peewee; print('psycopg' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
