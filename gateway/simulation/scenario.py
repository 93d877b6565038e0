"""A scenario: scenes of a day and what the people in them do, as data."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from drivers.catalogue import Kind
from drivers.errors import WrongUse
from gateway.config.uses import PARTS
from gateway.errors import GatewayError
from sync.contract.passes import present
from sync.errors import CredentialRefused

SWITCHES = ("approach", "vehicle", "one-metre", "fire", "tamper")
"""Inputs that are `on` or `off`, by their use."""
ACTIONS = (
    "arrive", "card", "show", "screenshot", "forehead", "enter", "exit", "card-out", "show-out", "go-out", "force", "call",
    "acknowledge", "leave", "freeze", "thaw",
    "cut", "stick", "mend", *SWITCHES,
)  # fmt: skip
BROUGHT_TO: Mapping[str, str] = {
    "card": "entry-reader", "card-out": "exit-reader",
    "show": "entry-camera", "screenshot": "entry-camera", "show-out": "exit-camera",
}  # fmt: skip
"""Actions that bring something of the cast's, and the use of the device that takes it."""
DAMAGED = tuple(
    use.value for use, part in PARTS.items() if part.kind not in (Kind.OUTPUT, Kind.SPEAKER, Kind.PASSAGE_SENSOR)
)
"""Uses of devices that can be cut, stuck and mended."""
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


class Phone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A phone with a pass: its text as it was issued, and the phone's private key (PEM, P-256)."""

    pass_text: str
    key: str


class Cast(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the people carry, by the names that scenes use: card UIDs, QR texts, and phones, which show another QR each time."""

    cards: dict[str, str] = {}
    codes: dict[str, str] = {}
    phones: dict[str, Phone] = {}

    def shown(self, name: str, at_s: int) -> str:
        """The text of the QR that is held up at `at_s` (Unix seconds). Raises ValueError for a phone that is none."""
        phone = self.phones.get(name)
        return self.codes[name] if phone is None else _on_screen(phone, at_s)


def _on_screen(phone: Phone, at_s: int) -> str:
    key = load_pem_private_key(phone.key.encode(), None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ValueError("a phone's key is of the curve P-256")  # noqa: TRY004  as load_pem_private_key has it
    return present(phone.pass_text, key, at_s)


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
        cast = msgspec.json.decode(path.read_bytes(), type=Cast)
    except (OSError, msgspec.DecodeError) as error:
        raise ScenarioError(f"{path}: {error}") from error
    for name in cast.phones:
        try:
            cast.shown(name, 0)
        except (ValueError, TypeError, UnsupportedAlgorithm, CredentialRefused) as error:
            raise ScenarioError(f"{path}: phone {name!r}: {error}") from error
    return cast


Takes = Callable[[str], None]
"""Raises WrongUse for what cannot be laid on a device, or held before it."""


def misfits(scenario: Scenario, cast: Cast, takes: Mapping[str, Takes]) -> Iterator[tuple[str, str]]:
    """What scenes bring that the simulated devices cannot take, by their use: that use, and what is wrong. Each is told once."""
    seen: set[tuple[str, str]] = set()
    for number, scene in enumerate(scenario.scene, 1):
        for action, name in map(parse_action, scene.do):
            use = BROUGHT_TO.get(action, "")
            if use not in takes or (use, name) in seen:
                continue
            seen.add((use, name))
            try:
                takes[use](cast.cards[name] if action.startswith("card") else cast.shown(name, 0))
            except WrongUse as error:
                yield use, f"scene {number}, {f'{action} {name}'!r}: {error}"


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
        if action in SWITCHES and argument not in ("on", "off"):
            raise ValueError(f"{text!r}: {action} is on or off")  # noqa: TRY301  told like the others
        if action in ("cut", "stick", "mend") and argument not in DAMAGED:
            raise ValueError(f"{text!r}: {action} what? There are: {', '.join(DAMAGED)}")  # noqa: TRY301
    except ValueError as error:
        raise ScenarioError(f"{where}: {error}") from error
    names = {
        "card": {*cast.cards},
        "card-out": {*cast.cards},
        "show": {*cast.codes, *cast.phones},
        "show-out": {*cast.codes, *cast.phones},
        "screenshot": {*cast.phones},
    }.get(action)
    if names is not None and argument not in names:
        raise ScenarioError(f"{where}: {text!r}: the cast has no {argument!r}, only {', '.join(sorted(names))}")
