"""Health codes that only a service knows about: asked over HTTPS, with a memory of its answers and patience with a server
that is down.

A verdict is about the state that the service tells now; a screenshot is worth nothing. Its answers are remembered for
`cache_s`, by the keyed hash of the text and in memory only, and may stand in for `offline_cache_s` when there is none.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from gateway.config.settings import ResolverConfig, WhenNoAnswer
from gateway.core.events import Outcome, Verdict
from gateway.core.findings import REFERRED
from gateway.core.moment import Moment
from gateway.core.tables import seconds
from gateway.resolve.asking import TOO_MANY, Asker, NoAnswer
from gateway.resolve.scheme import Scheme, Trust, refused
from gateway.resolve.server_code import NOT_UNDERSTOOD, ServerCodes
from sync.contract.colours import HealthCode
from sync.contract.records import Step

KIND = "health-code"
REMEMBERED: Final = 1024  # answers; the oldest is forgotten for a new one
DOWN: Final = frozenset({"no-answer", "server-unreachable", "server-certificate", "server-insecure", "server-error"})
"""Reasons that say that the server does not work, not that it refused this question."""
FAILURES: Final = 3  # in a row, before nobody waits for it any more
PAUSE_MS: Final = (5_000, 60_000)  # until it is tried again: at first, and at most

logger = logging.getLogger("menshen.resolve")


def schemes(configs: Iterable[ResolverConfig]) -> list[Scheme]:
    """A row for each service, in the order of the file. Raises TlsFileError."""
    return [_scheme(config) for config in configs]


def _scheme(config: ResolverConfig) -> Scheme:
    codes = ServerCodes(config)
    return Scheme(KIND, lambda text: codes.code(text) is not None, ServerResolver(config, codes).resolve, asks=True)


class ServerResolver:
    """Verdicts on the codes of one service. From several threads."""

    def __init__(self, config: ResolverConfig, codes: ServerCodes) -> None:
        self._name = config.name
        self._codes = codes
        self._asker = Asker(config)
        self._breaker = Breaker(seconds(config.timeout_s))
        self._memory = Memory()
        self._cache_ms, self._offline_ms = round(config.cache_s * 1000), round(config.offline_cache_s * 1000)
        self._refuse = config.when_no_answer is WhenNoAnswer.REFUSE

    def resolve(self, text: str, trust: Trust, now: Moment) -> Verdict:
        """The verdict on a text that is a code of this service; takes as long as the service is allowed to."""
        reference = trust.reference(text)
        known = self._memory.recall(reference, now.mono_ms, self._cache_ms)
        if known is not None:
            return known
        verdict = self._asked(self._codes.code(text) or "", reference, now)
        if verdict.outcome not in REFERRED:
            self._memory.keep(verdict, now.mono_ms)
            return verdict
        known = self._memory.recall(reference, now.mono_ms, self._offline_ms)
        if known is not None:
            return replace(known, reason="last-answer") if known.outcome is Outcome.VALID else known
        return replace(verdict, denied=self._refuse and verdict.outcome is Outcome.NEEDS_ONLINE)

    def _asked(self, code: str, reference: str, now: Moment) -> Verdict:
        if not self._breaker.lets(now.mono_ms):
            return refused("server-unreachable", KIND, reference)
        try:
            answer = self._asker.ask(self._codes.question(code))
        except NoAnswer as error:
            if error.reason != TOO_MANY:  # nobody was asked: that says nothing about the server
                self._note(error.reason, now)
            return refused(error.reason, KIND, reference)
        meaning = self._codes.meaning(answer)
        self._note(NOT_UNDERSTOOD if meaning == NOT_UNDERSTOOD else "", now)
        return _verdict(meaning, reference)

    def _note(self, reason: str, now: Moment) -> None:
        """Tell what became of a question, once when it goes wrong and once when it is right again."""
        changed = self._breaker.note(reason, now.mono_ms)
        if changed and reason:
            logger.error("resolver %s: %s", self._name, reason)
        elif changed:
            logger.warning("resolver %s: answers again", self._name)


def _verdict(meaning: HealthCode | str, reference: str) -> Verdict:
    if not isinstance(meaning, HealthCode):
        return refused(meaning, KIND, reference)
    return Verdict(
        outcome=Outcome.VALID,
        reason="ok",
        kind=KIND,
        credential=reference,
        serves=frozenset({Step.HEALTH_CODE}),
        health_code=meaning,
    )


class Breaker:
    """Whether it is worth asking: after `FAILURES` in a row one question is let through each pause, which doubles while
    that fails too. Knows also whether a trouble is new. From several threads; the time is an argument."""

    def __init__(self, timeout_ms: int) -> None:
        self._timeout_ms = timeout_ms
        self._lock = threading.Lock()
        self._failures = 0
        self._until_ms = 0
        self._pause_ms = PAUSE_MS[0]
        self._trouble = ""

    def lets(self, now_ms: int) -> bool:
        """Whether to ask now."""
        with self._lock:
            if self._failures < FAILURES:
                return True
            if now_ms < self._until_ms:
                return False
            self._until_ms = now_ms + self._timeout_ms + self._pause_ms  # one tries; the others don't wait for it
            return True

    def note(self, reason: str, now_ms: int) -> bool:
        """What came of a question asked at `now_ms`: a reason, or "" for an answer. Whether that is news."""
        with self._lock:
            if reason in DOWN:
                self._failures += 1
                if self._failures > FAILURES:
                    self._pause_ms = min(2 * self._pause_ms, PAUSE_MS[1])
                self._until_ms = now_ms + self._timeout_ms + self._pause_ms
            else:
                self._failures, self._pause_ms = 0, PAUSE_MS[0]
            before, self._trouble = self._trouble, reason
            return before != reason


@dataclass(frozen=True, slots=True)
class _Remembered:
    verdict: Verdict
    at_ms: int


class Memory:
    """The last answers, by the keyed hash of their text. From several threads; the time is an argument."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Remembered] = OrderedDict()

    def keep(self, verdict: Verdict, now_ms: int) -> None:
        """Remember a verdict by its reference."""
        with self._lock:
            self._known[verdict.credential] = _Remembered(verdict, now_ms)
            self._known.move_to_end(verdict.credential)
            if len(self._known) > self._most:
                self._known.popitem(last=False)

    def recall(self, reference: str, now_ms: int, longest_ms: int) -> Verdict | None:
        """The verdict that is less than `longest_ms` old, or None."""
        with self._lock:
            known = self._known.get(reference)
        return known.verdict if known is not None and now_ms - known.at_ms < longest_ms else None
