"""The locks: whole, hashed, without an address, and the gate's apart from the office's."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "requirements"
LOCKS = sorted(FOLDER.glob("*.txt"))


def pinned(name: str) -> dict[str, str]:
    """Package → version in one lock."""
    text = (FOLDER / f"{name}.txt").read_text()
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==([^ ;]+)", text, re.MULTILINE))


def test_each_list_has_its_lock() -> None:
    assert {lock.stem for lock in LOCKS} == {wanted.stem for wanted in FOLDER.glob("*.in")}


@pytest.mark.parametrize("lock", LOCKS, ids=[lock.name for lock in LOCKS])
def test_no_address_and_a_hash_for_everything(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert "@" not in text
    packages = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert packages
    assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []


@pytest.mark.parametrize("lock", LOCKS, ids=[lock.name for lock in LOCKS])
def test_what_is_asked_for_is_locked(lock: Path) -> None:
    asked = re.findall(r"^([a-z0-9-]+)", lock.with_suffix(".in").read_text(), re.MULTILINE)
    assert set(asked) <= set(pinned(lock.stem))


def test_the_locks_agree_with_each_other() -> None:
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for package, version in pinned(lock.stem).items():
            versions.setdefault(package, set()).add(version)
    assert {package: found for package, found in versions.items() if len(found) > 1} == {}


def test_the_gate_has_the_headless_opencv_and_nothing_of_the_office() -> None:
    gate = pinned("gate")
    assert "opencv-python-headless" in gate
    assert not {"opencv-python", "psycopg", "psycopg-binary", "psycopg2", "django", "gunicorn"} & set(gate)
    assert not {"pyserial", "gpiozero", "opencv-python-headless", "pyzbar", "peewee"} & set(pinned("office"))
    assert {"psycopg", "psycopg-binary"} <= set(pinned("office"))
