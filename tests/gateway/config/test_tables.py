"""From tables to settings: every kind of wrong value in words that help."""

from dataclasses import dataclass, field
from enum import StrEnum
from math import inf, nan
from pathlib import Path
from typing import Annotated

import pytest
from msgspec import Meta

from gateway.config.problems import Report
from gateway.config.tables import Reader, nearest


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


@dataclass(frozen=True, slots=True, kw_only=True)
class Below:
    deep_c: Annotated[float, Meta(description="Deep", ge=35, le=42, extra={"unit": "°C"})] = 37.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    must: Annotated[str, Meta(description="It must be there", min_length=1, max_length=5, pattern=r"^[a-z]*\Z")]
    wait_s: Annotated[float, Meta(description="How long", ge=1, le=60, extra={"unit": "s"})] = 5.0
    count: Annotated[int, Meta(description="How many", ge=1, le=9)] = 1
    on: Annotated[bool, Meta(description="Whether")] = False
    colour: Annotated[Colour, Meta(description="Which")] = Colour.RED
    colours: Annotated[tuple[Colour, ...], Meta(description="All of them", min_length=1, max_length=2)] = (Colour.RED,)
    file: Annotated[Path | None, Meta(description="A file")] = None
    text_path: Annotated[str, Meta(description="A path that a driver takes as text", extra={"path": True})] = ""
    port: Annotated[str, Meta(description="Its port", min_length=5, pattern=r"^/dev/[^\x00]+$")] = "/dev/ttyS0"
    below: Below = field(default_factory=Below)
    derived: str = "no key of the file"


def read(**table: object) -> tuple[Settings | None, dict[str, str]]:
    report = Report("f.toml")
    reader = Reader(report, Path("/etc/menshen"), lambda name: ["voice"] if name == "volume" else [])
    found = reader.section(Settings, table, ())
    return found, {problem.key: problem.text for problem in report.problems()}


def wrong(**table: object) -> str:
    """The one problem of a table that is right but for this."""
    _, problems = read(**({"must": "yes"} | table))
    (text,) = problems.values()
    return text


def test_defaults_and_what_is_given() -> None:
    assert read(must="yes") == (Settings(must="yes"), {})
    found, problems = read(
        must="yes",
        wait_s=7,
        count=2,
        on=True,
        colour="green",
        colours=["green", "red"],
        file="a/b",
        below={"deep_c": 36},
    )
    assert problems == {}
    assert found == Settings(
        must="yes",
        wait_s=7.0,
        count=2,
        on=True,
        colour=Colour.GREEN,
        colours=(Colour.GREEN, Colour.RED),
        file=Path("/etc/menshen/a/b"),
        below=Below(deep_c=36.0),
    )


def test_relative_paths_start_at_the_file() -> None:
    for given, absolute in (("said.wav", "/etc/menshen/said.wav"), ("/srv/x", "/srv/x"), ("", "")):
        found, _ = read(must="yes", text_path=given)
        assert found is not None
        assert found.text_path == absolute


def test_everything_at_once_and_wrong_keys_at_their_defaults() -> None:
    found, problems = read(must="yes", wait_s=0, count="2", on="true", below={"deep_c": 50, "depe_c": 1})
    assert list(problems) == ["wait_s", "count", "on", "below.deep_c", "below.depe_c"]
    assert found == Settings(must="yes")


def test_a_required_key() -> None:
    assert read() == (None, {"must": "is missing. It must be there"})
    assert read(must=3) == (None, {"must": "must be text in quotes, not 3"})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("5s", "must be a number of seconds, without quotes and unit: 5"),
        ("500 ms", "must be a number of seconds, without quotes and unit: 0.5"),
        ("2 min", "must be a number of seconds, without quotes and unit: 120"),
        ("5 秒", "must be a number of seconds, without quotes and unit: 5"),
        ("5", "must be a number of seconds, without quotes and unit: 5"),
        ("5 parsecs", "must be a number of seconds, without quotes and unit"),
        ("soon", "must be a number of seconds, without quotes and unit"),
        (True, "must be a number of seconds, not true"),
        ([5], "must be a number of seconds, not [5]"),
        (5000, "5000 is out of range: 1 to 60 s (5000 ms is 5 s). How long"),
        (0.5, "0.5 is out of range: 1 to 60 s. How long"),
        (nan, "nan is out of range: 1 to 60 s. How long"),
        (-inf, "-inf is out of range: 1 to 60 s. How long"),
    ],
)
def test_seconds(value: object, text: str) -> None:
    assert wrong(wait_s=value) == text


@pytest.mark.parametrize("digits", [400, 9000])
def test_numbers_that_python_refuses_to_print(digits: int) -> None:
    for value in (10**digits, -(10**digits)):
        assert wrong(wait_s=value) == "a number of over 100 digits is out of range: 1 to 60 s. How long"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (99.5, "99.5 is out of range: 35 to 42 °C (99.5 °F is 37.5 °C). Deep"),
        ("37.3°C", "must be a number of degrees Celsius, without quotes and unit: 37.3"),
        ("99.5 °F", "must be a number of degrees Celsius, without quotes and unit: 37.5"),
    ],
)
def test_degrees(value: object, text: str) -> None:
    assert wrong(below={"deep_c": value}) == text


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"count": 2.0}, "must be a whole number, not 2.0"),
        ({"count": 10}, "10 is out of range: 1 to 9. How many"),
        ({"on": 1}, "must be true or false, without quotes, not 1"),
        ({"colour": "gren"}, "'gren' is none of red, green; did you mean green?"),
        ({"colour": 5}, "5 is none of red, green"),
        ({"colours": "red"}, "must be a list in brackets, not 'red'"),
        ({"colours": []}, "has 0 entries, must have 1 to 2"),
        ({"colours": ["red"] * 3}, "has 3 entries, must have 1 to 2"),
        ({"file": 5}, "must be a path in quotes, not 5"),
        ({"file": ""}, "must be a path in quotes, not ''"),
        ({"file": "a\0b"}, "must be a path in quotes, not 'a\\x00b'"),
        ({"must": ""}, "must not be empty"),
        ({"must": "abcdef"}, "is too long: 6 characters, at most 5"),
        ({"must": "A"}, "'A' is not accepted. It must be there"),
        ({"must": "a\n"}, "'a\\n' is not accepted. It must be there"),
        ({"port": "ttyUSB0"}, "'ttyUSB0' does not begin with /dev/. Its port"),
        ({"port": "tty"}, "is too short: 3 characters, at least 5"),
        ({"port": "/dev/"}, "'/dev/' is not accepted. Its port"),
        ({"below": 3}, "must be a section: [below]"),
        ({"below": [{}]}, "there is one section of this name, with single brackets: [below]"),
        ({"wait_ms": 5}, "unknown key; here it is wait_s, in seconds"),
        ({"wait": 5}, "unknown key; here it is wait_s, in seconds"),
        ({"colur": "red"}, "unknown key; the nearest known one is colour"),
        ({"volume": 5}, "unknown here; it belongs into [voice]"),
        ({"password": "s3cret"}, "a password has no place in this file: name a file that holds it in password_file"),
        (
            {"derived": "x"},
            "unknown key; known here: must, wait_s, count, on, colour, colours, file, text_path, port, below",
        ),
    ],
)
def test_every_other_kind(table: dict[str, object], text: str) -> None:
    assert wrong(**table) == text


def test_each_entry_of_a_list_by_itself() -> None:
    _, problems = read(must="yes", colours=["red", "blu", 3])
    assert problems == {"colours[1]": "'blu' is none of red, green", "colours[2]": "3 is none of red, green"}


def test_nearest() -> None:
    assert nearest("tresting", ["testing", "other"]) == "testing"
    assert nearest("xyz", ["testing"]) == ""
