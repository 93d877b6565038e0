"""A scenario: scenes of a day and what the people in them do, as data."""

import re
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from gateway.errors import GatewayError

ACTIONS = ("arrive", "card", "show", "forehead", "enter", "exit", "force", "acknowledge", "leave")
_ACTION = re.compile(rf"({'|'.join(ACTIONS)})(?: (\S+))?")


class ScenarioError(GatewayError):
    """A scenario or cast file is unusable: which file, which scene, what is wrong."""


class Scene(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person's scene. `at`: local time HH:MM; `do`: actions in order; `expects`: the visit's outcome, "" for none."""

    at: Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    zh: str
    en: str
    do: tuple[str, ...]
    expects: str = ""


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A day."""

    scene: tuple[Scene, ...]


class Cast(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the people carry, by the names that scenes use: card UIDs and QR texts."""

    cards: dict[str, str] = {}
    codes: dict[str, str] = {}


def load_scenario(path: Path, cast: Cast) -> Scenario:
    """A scenario, checked against the cast. Raises ScenarioError."""
    try:
        scenario = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Scenario)
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: {error}") from error
    if not scenario.scene:
        raise ScenarioError(f"{path}: has no [[scene]]")
    for number, scene in enumerate(scenario.scene, 1):
        for text in scene.do:
            _check(text, cast, f"{path}: scene {number}")
    return scenario


def load_cast(path: Path) -> Cast:
    """What the people carry. Raises ScenarioError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Cast)
    except (OSError, msgspec.DecodeError) as error:
        raise ScenarioError(f"{path}: {error}") from error


def parse_action(text: str) -> tuple[str, str]:
    """An action and its argument ("" when it takes none). Raises ValueError."""
    match = _ACTION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no action; there are: {', '.join(ACTIONS)}")
    return match[1], match[2] or ""


def _check(text: str, cast: Cast, where: str) -> None:
    try:
        action, argument = parse_action(text)
        if action == "forehead":
            float(argument)
    except ValueError as error:
        raise ScenarioError(f"{where}: {error}") from error
    names = {"card": cast.cards, "show": cast.codes}.get(action)
    if names is not None and argument not in names:
        raise ScenarioError(f"{where}: {text!r}: the cast has no {argument!r}, only {', '.join(sorted(names))}")
