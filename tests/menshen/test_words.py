"""Every reason has words for people: in the office's pages, in both languages, and in the terminal. They are looked for in
the code, so that a new one cannot be forgotten."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from central.web.words import TABLES
from central.web.words import word as office_word
from gateway.core.events import HEALTH_KINDS, Outcome
from gateway.core.policy import Fact, Statement
from gateway.resolve.scheme import OUTCOMES
from gateway.words import word as terminal_word
from sync.contract.colours import HealthCode, PassType
from sync.contract.records import Direction, Step, VisitOutcome

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    [
        *(ROOT / "gateway" / "resolve").glob("*.py"),
        *(ROOT / "gateway" / "credentials").glob("*.py"),
        *(ROOT / "sync" / "contract" / name for name in ("cose.py", "encoding.py", "passes.py")),
        *(
            ROOT / "gateway" / "core" / name
            for name in ("commanded.py", "findings.py", "temperature.py", "used.py", "visit.py")
        ),
        *(ROOT / "gateway" / name for name in ("orders.py", "sampling.py")),
    ]
)
REFUSES = {
    "CommandRefused",
    "CredentialRefused",
    "Decision",
    "NoAnswer",
    "OrderRefused",
    "Ruling",
    "refused",
    "unlisted",
    "unresolved",
    "_step",
}
HYPHENATED = re.compile(r"[a-z]+(-[a-z0-9]+)+")
WORD = re.compile(r"[a-z]+(-[a-z0-9]+)*")

NO_REASONS = {*HEALTH_KINDS, *Outcome, *PassType, *HealthCode, *Fact, *Statement, *Step, *Direction} | {
    "card", "pass", "text",  # kinds
    "utf-8",  # an encoding
    "codes-used",  # a key of the durable state
}  # fmt: skip
"""Words of these modules that are no reasons; whatever else looks like one is taken for one."""

MADE = {
    "{}-not-accepted": {f"{each}-not-accepted" for each in Statement},
    "{}-missing": {f"{each}-missing" for each in Step},
    "health-code-{}": {f"health-code-{each}" for each in {*HealthCode, "unknown"} - {HealthCode.GREEN}},
}
"""Reasons that are put together, by their pattern."""


def _hyphenated(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and HYPHENATED.fullmatch(node.value):
            yield node.value


def _said(tree: ast.AST) -> Iterator[str]:
    """The words in what is returned, and handed to whatever refuses."""
    for node in ast.walk(tree):
        given: list[ast.expr] = []
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in REFUSES:
            given = list(node.args)
        elif isinstance(node, ast.Return) and node.value is not None:
            given = [node.value]
        for each in given:
            yield from _words(each)


def _words(value: ast.expr) -> Iterator[str]:
    match value:
        case ast.Constant(value=str(text)) if WORD.fullmatch(text):
            yield text
        case ast.IfExp(body=one, orelse=other):
            yield from _words(one)
            yield from _words(other)
        case ast.BoolOp(values=values):
            for each in values:
                yield from _words(each)
        case ast.Tuple(elts=values):
            for each in values:
                yield from _words(each)


def _patterns(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [each.value if isinstance(each, ast.Constant) else "{}" for each in node.values]
            pattern = "".join(map(str, parts))
            if HYPHENATED.fullmatch(pattern.replace("{}", "x")) and re.search(r"[a-z]", pattern):
                yield pattern


def reasons() -> set[str]:
    """Every reason that this code can give."""
    trees = [ast.parse(path.read_text("utf-8")) for path in SOURCES]
    found = {word for tree in trees for find in (_hyphenated, _said) for word in find(tree)}
    made = {word for tree in trees for pattern in _patterns(tree) for word in MADE[pattern]}
    return (found - NO_REASONS) | made | set(OUTCOMES)


REASONS = sorted(reasons())


def test_they_are_found_where_they_are_known_to_be() -> None:
    known = {
        "ok", "lost-card", "not-registered", "bad-signature", "code-used", "chunked", "test-not-accepted", "fever",
        "health-code-red", "credential-missing", "second-credential", "trust-old", "empty",
        "forged", "retained", "late", "replayed", "other-portal",
    }  # fmt: skip
    assert known - set(REASONS) == set()


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_has_words_in_the_office_and_in_the_terminal(reason: str) -> None:
    assert reason in TABLES["reason"], "give it words in central/web/words.py"
    with translation.override("zh-hans"):
        assert re.search(r"[\u4e00-\u9fff]", office_word("reason", reason))
    assert re.search(r"[\u4e00-\u9fff]", terminal_word("zh", reason)), "give it words in gateway/words.py"
    assert re.fullmatch(r"[a-z0-9 ]+", terminal_word("en", reason))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("found", Outcome),
        ("credential_kind", {"card", "pass", "text", *HEALTH_KINDS}),
        ("fact", Fact),
        ("statement", Statement),
        ("outcome", VisitOutcome),
    ],
)
def test_every_other_word_of_a_credential_has_words_in_the_office(table: str, words: type[Outcome]) -> None:
    assert set(words) - set(TABLES[table]) == set()
