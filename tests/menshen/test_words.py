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
from gateway.core.capacity import REACHED, WARNING
from gateway.core.events import HEALTH_KINDS, SCARCE, Outcome
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
    "hold-still",  # what a code that cannot be read wants
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


GATEWAY = {path: ast.parse(path.read_text("utf-8")) for path in sorted((ROOT / "gateway").rglob("*.py"))}
"""All of a gate's code: what is refused outside a visit, and what is an alarm's detail, may come from anywhere in it."""


def _calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "id", getattr(node.func, "attr", "")), node


def _constants(tree: ast.Module) -> dict[str, str]:
    """A module's own names of words, such as `NAME: Final = "page"`."""
    found = {}
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
            found[target.id] = value.value
    return found


def _named(value: ast.expr, constants: dict[str, str]) -> Iterator[str]:
    if isinstance(value, ast.Name) and value.id in constants:
        yield constants[value.id]
    yield from _words(value)


def refused_outside_a_visit() -> set[str]:
    """The reasons that the gate's code gives to whatever ends in `Refused`, and to the desk of what the office wishes."""
    found: set[str] = set()
    for path, tree in GATEWAY.items():
        constants = _constants(tree)
        for name, call in _calls(tree):
            if name.endswith("Refused") or (name == "_refuse" and path.name == "desired.py"):
                given = [*call.args[:1], *(each.value for each in call.keywords if each.arg == "reason")]
                found |= {word for value in given for word in _named(value, constants)}
    return found


def details() -> set[str]:
    """What an alarm says of itself beside its kind: the words that the core raises alarms with, and the parts of a gate that are lost
    like a device and are in no configuration."""
    found: set[str] = set()
    for tree in GATEWAY.values():
        constants = _constants(tree)
        for name, call in _calls(tree):
            given = (
                call.args[2:3] if name in {"raise_", "lasting"} else call.args[:1] if name == "DeviceChanged" else []
            )
            found |= {word for value in given for word in _named(value, constants)}
    return found | {WARNING, REACHED, *SCARCE}


@pytest.mark.parametrize("reason", sorted(refused_outside_a_visit()))
def test_what_is_refused_outside_a_visit_has_words(reason: str) -> None:
    assert reason in TABLES["reason"], "give it words in central/web/words.py"
    _in_chinese("reason", reason)


@pytest.mark.parametrize("detail", sorted(details()))
def test_what_an_alarm_is_about_has_words(detail: str) -> None:
    assert detail in TABLES["alarm_detail"], "give it words in central/web/words.py"
    _in_chinese("alarm_detail", detail)


def _in_chinese(table: str, machine: str) -> None:
    with translation.override("zh-hans"):
        assert re.search(r"[\u4e00-\u9fff]", office_word(table, machine))
    assert re.search(r"[\u4e00-\u9fff]", terminal_word("zh", machine)), "give it words in gateway/words.py"


def test_what_is_refused_and_what_alarms_are_about_is_found_where_it_is_known_to_be() -> None:
    assert {"wrong-pin", "retained", "forged", "part", "row", "policy", "journal-full"} <= refused_outside_a_visit()
    assert {"page", "referred", "directory", "trust-list", "directory-age", "policy"} <= details()


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
