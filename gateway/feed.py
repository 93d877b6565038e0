"""The live feed: one JSON object a line for whoever watches this gate's process (the demo's terminal)."""

import sys
import threading
from collections.abc import Callable, Mapping
from typing import TextIO

import msgspec

from gateway.core import effects
from gateway.core.moment import Moment


class Feed:
    """A watcher of effects. `words(phrase, values, language)` gives what is said. A reader that went away ends the feed,
    not the gate."""

    def __init__(self, words: Callable[[str, Mapping[str, str], str], str], out: TextIO | None = None) -> None:
        self._words = words
        self._out: TextIO | None = out or sys.stdout
        self._lock = threading.Lock()

    def watch(self, effect: effects.Effect, now: Moment) -> None:
        """Tell what the core shows and says."""
        match effect:
            case effects.Show(what, values):
                self.tell(what, at_ms=str(now.at_ms), **values)
            case effects.Say(phrase, _, values):
                self.tell(
                    "say", phrase=phrase, zh=self._words(phrase, values, "zh"), en=self._words(phrase, values, "en")
                )

    def tell(self, what: str, /, **values: str) -> None:
        """One line."""
        line = msgspec.json.encode({"what": what, **values}).decode()
        with self._lock:
            if self._out is None:
                return
            try:
                self._out.write(line + "\n")
                self._out.flush()
            except BrokenPipeError:
                self._out = None
