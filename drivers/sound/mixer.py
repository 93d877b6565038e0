"""What sounds when: queues, priorities, pre-emption and loops. Pure: the time is an argument, and sound comes out in
blocks of 20 ms. Nothing is mixed: one thing sounds at a time. Nothing clicks: what is cut short fades out within 5 ms, what is taken
up in the middle fades in, and files begin and end softly whatever was recorded.
"""

from array import array
from collections.abc import Callable, Sequence

from drivers.sound.pcm import BLOCK, EDGE, BadSound, fallen, risen

WAITS_MS = 4000  # what could not begin within this is dropped: it would speak to somebody who has left
MOST_WAITING = 16
Load = Callable[[str], "array[int]"]


class Play:
    """Files to be played one after the other."""

    __slots__ = ("_load", "_notice", "_percent", "_position", "_rest", "_samples", "asked_ms", "priority", "wavs")

    def __init__(
        self, wavs: Sequence[str], priority: int, asked_ms: int, load: Load, notice: Callable[[str], None], percent: int
    ) -> None:
        self.wavs = tuple(wavs)
        self.priority = priority
        self._percent = percent
        self.asked_ms = asked_ms
        self._rest = list(wavs)
        self._load = load
        self._notice = notice
        self._samples = array("h")
        self._position = 0

    def take(self) -> "array[int]":
        """The next samples, up to a block; empty at the end."""
        while self._position >= len(self._samples):
            if not self._rest:
                return array("h")
            self._samples, self._position = self._next(), 0
        block = self._samples[self._position : self._position + BLOCK]
        self._position += BLOCK
        return _scaled(block, self._percent)

    def _next(self) -> "array[int]":
        try:
            return fallen(risen(self._load(self._rest.pop(0))))
        except BadSound as error:
            self._notice(str(error))
            return array("h")


class Loop:
    """A tone that goes round."""

    __slots__ = ("_position", "_samples", "percent", "priority")

    def __init__(self, samples: "array[int]", priority: int, percent: int) -> None:
        self._samples = samples
        self.percent = percent
        self._position = 0
        self.priority = priority

    def take(self) -> "array[int]":
        """The next block."""
        block = array("h")
        while len(block) < BLOCK:
            part = self._samples[self._position : self._position + BLOCK - len(block)]
            block.extend(part)
            self._position = (self._position + len(part)) % len(self._samples)
        return _scaled(block, self.percent)


class Mixer:
    """Decides what sounds next. `load` reads a file (raising BadSound), `notice` is told of one that is skipped."""

    def __init__(self, load: Load, notice: Callable[[str], None]) -> None:
        self._load = load
        self._notice = notice
        self._playing: Play | None = None
        self._waiting: list[Play] = []
        self._loops: dict[str, Loop] = {}
        self._sounding: Play | Loop | None = None

    def play(self, wavs: Sequence[str], priority: int, asked_ms: int, percent: int = 100) -> None:
        """Play files, `percent` as loud as they are; cuts a lower priority short, else waits its turn. What waits already is
        not asked twice."""
        play = Play(wavs, priority, asked_ms, self._load, self._notice, percent)
        if all(waiting.wavs != play.wavs for waiting in self._waiting):
            self._waiting.append(play)
            self._waiting.sort(key=lambda waiting: -waiting.priority)  # stable: the earlier first
            del self._waiting[MOST_WAITING:]

    def drop(self, wavs: Sequence[str], priority: int) -> None:
        """Play these files not, if they still wait with this priority."""
        self._waiting = [each for each in self._waiting if (each.wavs, each.priority) != (tuple(wavs), priority)]

    def loop(self, wav: str, priority: int, percent: int = 100) -> None:
        """Loop a file, `percent` as loud as it is, until `stop_loop`; cuts speech of a lower priority short. Speech of its own priority or a higher
        one is spoken over it, and the loop goes on after."""
        before = self._loops.get(wav)
        if before is not None and (before.priority, before.percent) == (priority, percent):
            return
        try:
            samples = self._load(wav)
        except BadSound as error:
            self._notice(str(error))
            return
        if len(samples):
            self._loops[wav] = Loop(samples, priority, percent)

    def stop_loop(self, wav: str) -> None:
        """Stop looping a file."""
        self._loops.pop(wav, None)

    def block(self, now_ms: int) -> "array[int] | None":
        """The next 20 ms; None: silence."""
        loop = max(self._loops.values(), key=lambda one: one.priority, default=None)
        wanted = self._choose(loop, now_ms)
        before = self._sounding
        if before is not None and wanted is not before:
            self._sounding = None
            rest = before.take()
            if rest:
                return _filled(fallen(rest[:EDGE]))
        if wanted is None:
            return None
        begins, self._sounding = self._sounding is None, wanted
        block = wanted.take()
        if not block:  # a play has come to its end
            self._playing = self._sounding = None
            return self.block(now_ms)
        return _filled(risen(block) if begins and isinstance(wanted, Loop) else block)

    def _choose(self, loop: Loop | None, now_ms: int) -> Play | Loop | None:
        least = loop.priority if loop is not None else -1
        if self._playing is not None and self._playing.priority < least:
            self._playing = None
        self._waiting = [play for play in self._waiting if now_ms - play.asked_ms <= WAITS_MS]
        above = self._playing.priority if self._playing is not None else least - 1
        if self._waiting and self._waiting[0].priority > above:
            self._playing = self._waiting.pop(0)
        return self._playing or loop


def _scaled(samples: "array[int]", percent: int) -> "array[int]":
    if percent == 100:
        return samples
    return array("h", (sample * percent // 100 for sample in samples))


def _filled(block: "array[int]") -> "array[int]":
    if len(block) < BLOCK:
        block.frombytes(bytes(2 * (BLOCK - len(block))))
    return block
