"""Simulated devices on a port of their own, for any program: each serial model by name, and what people can do to it in words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from drivers.catalogue import MODELS
from drivers.errors import WrongUse
from drivers.protocols.identity_card import Field
from drivers.simulators.forehead import HELD_CM
from drivers.simulators.identity_card import SimulatedIdentityCard
from drivers.simulators.line import LineFault, SerialLine
from drivers.simulators.setup import Setup

PERSON: Final = {
    Field.NAME: "张三",
    Field.SEX: "1",
    Field.NATION: "01",
    Field.BIRTH: "19491231",
    Field.NUMBER: "11010519491231002X",
}
"""Nobody: the number that GB 11643 gives as its example."""


LINES: Final[Mapping[str, Callable[[str, Setup], SerialLine]]] = {
    name: model.line for name, model in MODELS.items() if model.line is not None
}
"""By a real model's name: every one with a serial port."""


@dataclass(frozen=True, slots=True)
class Command:
    """What can be done. `words`: how it is said; `do`: with the line, its setup and the words behind; what has happened."""

    words: str
    meaning: str
    do: Callable[[Any, Setup, Sequence[str]], str]


def _approach(line: Any, _setup: Setup, words: Sequence[str]) -> str:
    person_c = _number(words[0], 20, 50) if words else 36.5
    distance_cm = _number(words[1], 1, 200) if len(words) > 1 else HELD_CM
    line.approach(person_c, distance_cm)
    return f"somebody of {person_c} °C, {distance_cm:g} cm away"


def _leave(line: Any, _setup: Setup, _words: Sequence[str]) -> str:
    line.leave()
    return "nobody is there"


def _room(_line: Any, setup: Setup, words: Sequence[str]) -> str:
    setup.room_c = _number(words[0] if words else "", -30, 60)
    return f"the room has {setup.room_c} °C"


def _freeze(line: Any, _setup: Setup, _words: Sequence[str]) -> str:
    line.freeze()
    return "its sensor hangs: it says what it said last"


def _thaw(line: Any, _setup: Setup, _words: Sequence[str]) -> str:
    line.freeze(frozen=False)
    return "it measures again"


def _hold(line: Any, _setup: Setup, words: Sequence[str]) -> str:
    if isinstance(line, SimulatedIdentityCard):
        line.hold(PERSON | ({Field.NUMBER: words[0]} if words else {}))
        return "an identity card lies there"
    uid = words[0].upper() if words else getattr(line, "card", "")
    if not uid:
        raise WrongUse("this reader's simulator knows no card to begin with: hold NUMBER")
    line.hold(uid)
    return f"card {uid} lies there"


def _remove(line: Any, _setup: Setup, _words: Sequence[str]) -> str:
    line.remove()
    return "no card lies there"


def _show(line: Any, _setup: Setup, words: Sequence[str]) -> str:
    line.show(" ".join(words) or "MP1:example")
    return "a code is held up"


def _clear(line: Any, _setup: Setup, _words: Sequence[str]) -> str:
    line.clear()
    return "no code is held up"


def _fault(fault: LineFault, said: str, line: SerialLine, _setup: Setup, _words: Sequence[str]) -> str:
    line.fault(fault)
    return said


def _unplug(line: SerialLine, _setup: Setup, _words: Sequence[str]) -> str:
    line.unplug()
    return "unplugged"


def _plug(line: SerialLine, _setup: Setup, _words: Sequence[str]) -> str:
    line.plug()
    return f"plugged in: {line.path}"


COMMANDS: Final[Mapping[str, Command]] = {
    "approach": Command("approach [°C [cm]]", "somebody comes near (36.5 °C, 3 cm)", _approach),
    "leave": Command("leave", "and goes", _leave),
    "room": Command("room °C", "the room becomes so warm", _room),
    "freeze": Command("freeze", "its sensor hangs: good frames, and always the same", _freeze),
    "thaw": Command("thaw", "it measures again, as after a new power-on", _thaw),
    "hold": Command("hold [NUMBER]", "lay a card on it", _hold),
    "remove": Command("remove", "take the card away", _remove),
    "show": Command("show [TEXT]", "hold up a code", _show),
    "clear": Command("clear", "take the code away", _clear),
    "cut": Command("cut", "cut the wire", partial(_fault, LineFault.SILENT, "the wire is cut")),
    "noise": Command(
        "noise",
        "a loose wire: what it says comes as noise",
        partial(_fault, LineFault.GARBAGE, "what it says comes as noise"),
    ),
    "stuck": Command("stuck", "it says the same again and again", partial(_fault, LineFault.STUCK, "it is stuck")),
    "mend": Command("mend", "the wire is sound again", partial(_fault, LineFault.NONE, "the wire is sound")),
    "unplug": Command("unplug", "pull it out", _unplug),
    "plug": Command("plug", "plug it in; its port may have another name", _plug),
}
_NEEDS: Final = {"approach": "approach", "leave": "leave", "room": "approach", "freeze": "freeze", "thaw": "freeze", "hold": "hold", "remove": "remove", "show": "show", "clear": "clear"}  # fmt: skip


def commands_of(line: SerialLine) -> Mapping[str, Command]:
    """What can be done to this one."""
    return {name: each for name, each in COMMANDS.items() if hasattr(line, _NEEDS.get(name, "plug"))}


def act(line: SerialLine, setup: Setup, said: str) -> str:
    """Do what is said; what has happened, in words. Raises WrongUse for what it cannot do."""
    word, *words = said.split() or [""]
    known = commands_of(line)
    if word not in known:
        raise WrongUse(f"{word!r} is nothing that can be done to it: {', '.join(known)}")
    return known[word].do(line, setup, words)


def _number(word: str, lowest: float, highest: float) -> float:
    try:
        value = float(word)
    except ValueError:
        raise WrongUse(f"{word!r} is no number: {lowest:g} to {highest:g}") from None
    if not lowest <= value <= highest:
        raise WrongUse(f"{word} is not between {lowest:g} and {highest:g}")
    return value
