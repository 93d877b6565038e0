"""What whoever stands at the readers is asked for, and when: not at once, not often, and not while they are just doing it."""

from collections.abc import Mapping, Sequence

from gateway.core.effects import Priority, Say
from gateway.core.moment import Moment
from gateway.core.phrases import Phrase
from gateway.core.tables import seconds
from sync.contract.records import Step

PROMPTS_MS = (5_000, 7_000)  # after the last progress, then after the first prompt; no more: people are not nagged
ASKING: Mapping[Step, Phrase] = {
    Step.CREDENTIAL: Phrase.SHOW_PASS,
    Step.TEMPERATURE: Phrase.SHOW_FOREHEAD,
    Step.HEALTH_CODE: Phrase.SHOW_HEALTH_CODE,
}
ASKED = frozenset(ASKING.values())
HINTED: Mapping[str, Phrase] = {
    "closer": Phrase.CODE_CLOSER,
    "hold-still": Phrase.CODE_HOLD_STILL,
}
"""What to say about a code that cannot be read, by what the reader found wrong."""


class Asking:
    """Counts from the last progress. Pure but for that."""

    def __init__(self) -> None:
        self._progress_ms = 0
        self._prompts = 0
        self._hinted_ms: int | None = None

    def progress(self, now: Moment) -> None:
        """Something new has come."""
        self._progress_ms, self._prompts = now.mono_ms, 0

    def enough(self) -> None:
        """They are not asked again until something new comes."""
        self._prompts = len(PROMPTS_MS)

    def idle_at(self, after_s: float) -> int:
        """When nothing new will have come for so long."""
        return self._progress_ms + seconds(after_s)

    def prompt_at(self) -> int | None:
        """When to ask them next; None when they were asked often enough."""
        if self._prompts >= len(PROMPTS_MS):
            return None
        due = self._progress_ms + sum(PROMPTS_MS[: self._prompts + 1])
        if self._hinted_ms is None or self._hinted_ms < self._progress_ms:
            return due
        return max(due, self._hinted_ms + PROMPTS_MS[1])  # who holds a code up is not told to show one

    def prompt(self, to_do: Sequence[Step]) -> list[Say]:
        """Ask for the first of what is still to do."""
        self._prompts += 1
        phrases = [ASKING[step] for step in to_do if step in ASKING]
        return [Say(phrases[0], Priority.PROMPT)] if phrases else []

    def hint(self, hint: str, again_s: float, now: Moment) -> list[Say]:
        """Say what is wrong with how a code is held up; not again within `again_s`, 0 for never."""
        phrase = HINTED.get(hint)
        if phrase is None or not again_s:
            return []
        if self._hinted_ms is not None and now.mono_ms - self._hinted_ms < seconds(again_s):
            return []
        self._hinted_ms = now.mono_ms
        return [Say(phrase, Priority.PROMPT)]
