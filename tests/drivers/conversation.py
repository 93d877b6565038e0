"""A transcript, played: word for word, or with a far end that answers as it does while something is wrong on the line. Pure."""

from collections.abc import Callable, Iterable
from typing import Any

from drivers.readings import Reading
from tests.drivers.transcripts import LONGEST_MS, STEP_MS, Transcript


def play(script: Transcript, cut: Callable[[bytes], Iterable[bytes]] = lambda data: [data]) -> list[Reading]:
    """The conversation word for word, each of the device's lines cut up; what was read."""
    link, now_ms, readings = script.link(0), 0, list[Reading]()
    greeting: bytes = link.greeting
    for mark, data in script.lines:
        match mark:
            case ">" if greeting:
                assert (data, greeting) == (greeting, data)
                greeting = b""
            case ">":
                now_ms, asked = question(link, now_ms)
                assert asked.hex(" ") == data.hex(" ")
            case "=":
                now_ms += int.from_bytes(data, "big")
                readings += link.feed(b"", now_ms)
            case _:
                for chunk in filter(None, cut(data)):  # nothing is silence
                    readings += link.feed(chunk, now_ms)
    assert not greeting, "the greeting is not in the transcript"
    return readings


def question(link: Any, now_ms: int) -> tuple[int, bytes]:
    """What the host asks next, and when."""
    for at_ms in range(now_ms, now_ms + LONGEST_MS, STEP_MS):
        asked: bytes = link.ask(at_ms)
        if asked:
            return at_ms, asked
        link.feed(b"", at_ms)
    raise AssertionError("it asks nothing")


Spoil = Callable[[int, bytes], bytes]
"""What becomes of the device's so manieth line, the first time that it is said."""


class FarEnd:
    """A device that answers as its transcript does, and says unasked what it says there unasked. What it is asked once more than
    there, it answers as the last time."""

    def __init__(self, script: Transcript, spoil: Spoil) -> None:
        self._answers: dict[bytes, list[tuple[int, bytes]]] = {}
        self._unasked: list[tuple[int, bytes]] = []
        self._spoil = spoil
        self._every_ms = script.every_ms
        self._next_ms = 0
        self.said: set[int] = set()
        asked, number, greeted = b"", 0, not script.link(0).greeting
        for mark, data in script.lines:
            if mark == ">":
                asked, greeted = (data if greeted else b""), True
            elif mark.startswith("<"):
                (self._answers.setdefault(asked, []) if asked else self._unasked).append((number, data))
                asked, number = b"", number + 1

    def says(self, asked: bytes, now_ms: int) -> list[bytes]:
        """Its lines, after this was asked or nothing was."""
        if asked:
            return [self._line(*answer) for answer in self._answer(asked)]
        if now_ms < self._next_ms:
            return []
        self._next_ms = now_ms + self._every_ms
        return [self._line(*each) for each in self._unasked]

    def _answer(self, asked: bytes) -> list[tuple[int, bytes]]:
        for known, answers in self._answers.items():
            if asked.endswith(known):
                return [answers.pop(0) if len(answers) > 1 else answers[0]]
        return []

    def _line(self, number: int, data: bytes) -> bytes:
        first = number not in self.said
        self.said.add(number)
        return self._spoil(number, data) if first else data


def converse(
    script: Transcript, link: Any, from_ms: int, spoil: Spoil = lambda _, data: data, *, needs: int = -1
) -> list[Reading]:
    """Let both ends talk until the last reading of the transcript has come, after line `needs` was said; all that were read. Fails
    if it never comes."""
    device, readings = FarEnd(script, spoil), list[Reading]()
    for now_ms in range(from_ms, from_ms + LONGEST_MS, STEP_MS):
        lines = device.says(link.ask(now_ms), now_ms)
        for line in lines:
            readings += link.feed(line, now_ms)
        if not lines:
            readings += link.feed(b"", now_ms)
        if script.readings[-1] in readings and (needs < 0 or needs in device.said):
            return readings
    raise AssertionError(f"it never read {script.readings[-1]} again, only {readings[-3:]}")


def once(at: int, spoilt: Callable[[bytes], bytes]) -> Spoil:
    """Spoil one line and no other."""
    return lambda number, data: spoilt(data) if number == at else data
