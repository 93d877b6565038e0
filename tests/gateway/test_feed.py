"""The live feed."""

import io
import json

from gateway.core.effects import Priority, Say, SetLock, Show
from gateway.core.moment import Moment
from gateway.feed import Feed

NOW = Moment(mono_ms=1, at_ms=2)


def words(phrase: str, values: object, lang: str) -> str:
    return f"{lang}:{phrase}"


def test_one_line_each_for_what_is_shown_and_said() -> None:
    out = io.StringIO()
    feed = Feed(words, out)
    feed.watch(Show("step", {"step": "credential", "result": "passed"}), NOW)
    feed.watch(Say("granted", Priority.PROMPT), NOW)
    feed.watch(SetLock(released=True), NOW)
    feed.tell("ready", gate="g")
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {"what": "step", "at_ms": "2", "step": "credential", "result": "passed"},
        {"what": "say", "phrase": "granted", "zh": "zh:granted", "en": "en:granted"},
        {"what": "ready", "gate": "g"},
    ]


class Gone(io.StringIO):
    """A pipe whose reader has gone."""

    def flush(self) -> None:
        raise BrokenPipeError


def test_a_reader_that_went_away_ends_the_feed_and_nothing_else() -> None:
    out = Gone()
    feed = Feed(words, out)
    feed.tell("one")
    feed.tell("two")
    assert out.getvalue() == '{"what":"one"}\n'
