"""Chinese and English: the choice is remembered, and nothing is left untranslated."""

import re
from pathlib import Path

import polib  # type: ignore[import-untyped]  # ships none
import pytest
from django.test import Client
from django.utils import translation

from central.web.shapes import SHAPES
from central.web.words import TABLES, machine_words, word
from sync.contract.alarms import AlarmAction, AlarmKind
from sync.contract.colours import HealthCode, PassType
from sync.contract.records import Direction, VisitOutcome
from tests.central.web.messages import MO, PO, asked_for, message_of

STYLES = Path(__file__).resolve().parents[3] / "central" / "web" / "static" / "menshen" / "office.css"
REPAIR = "run `.venv/bin/python -m tests.central.web.messages`, then translate what it names and run it again"


def test_the_browsers_language_until_one_is_chosen(client: Client, db: None) -> None:
    assert 'lang="zh-hans"' in client.get("/login/", headers={"Accept-Language": "zh-CN,zh;q=0.9"}).content.decode()
    assert 'lang="en"' in client.get("/login/", headers={"Accept-Language": "fr"}).content.decode()
    answer = client.post("/language/", {"language": "zh-hans", "next": "/login/"})
    assert answer["Location"] == "/login/"
    cookie = client.cookies["django_language"]
    assert int(cookie["max-age"]) >= 30 * 24 * 3600
    page = client.get("/login/", headers={"Accept-Language": "fr"}).content.decode()
    assert "<h1>登录</h1>" in page
    client.post("/language/", {"language": "en", "next": "/login/"})
    assert "<h1>Log in</h1>" in client.get("/login/", headers={"Accept-Language": "zh"}).content.decode()


def test_the_language_switch_leads_nowhere_else(client: Client, db: None) -> None:
    answer = client.post("/language/", {"language": "en", "next": "https://elsewhere.example/"})
    assert answer["Location"] == "/"


def test_every_sentence_is_translated() -> None:
    catalogue = polib.pofile(str(PO))
    have = {message_of(entry) for entry in catalogue if not entry.obsolete}
    assert asked_for() - have == set(), f"not in {PO}: {REPAIR}"
    assert have - asked_for() == set(), f"no longer asked for: {REPAIR}"
    assert [entry.msgid for entry in catalogue.fuzzy_entries()] == []
    assert [entry.msgid for entry in catalogue.untranslated_entries()] == [], REPAIR
    assert catalogue.metadata["Plural-Forms"].startswith("nplurals=1;")


def test_the_compiled_catalogue_is_that_of_the_text() -> None:
    text = {message_of(entry): (entry.msgstr, entry.msgstr_plural) for entry in polib.pofile(str(PO))}
    compiled = {message_of(entry): (entry.msgstr, entry.msgstr_plural) for entry in polib.mofile(str(MO))}
    assert compiled == text, REPAIR


@pytest.mark.parametrize("entry", polib.pofile(str(PO)), ids=lambda entry: entry.msgid[:30])
def test_what_is_filled_in_is_filled_in_in_both(entry: polib.POEntry) -> None:
    filled = set(re.findall(r"%\(\w+\)\w", entry.msgid))
    for translated in [entry.msgstr, *entry.msgstr_plural.values()]:
        assert not translated or set(re.findall(r"%\(\w+\)\w", translated)) == filled


def test_the_sentences_are_found_where_they_are_known_to_be() -> None:
    texts = {message.text for message in asked_for()}
    for known in (
        "Entry log",
        "%(count)d alarm acknowledged.",
        "%(waiting)s record is still at the gate",
        "Door forced",
    ):
        assert known in texts


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("alarm", AlarmKind),
        ("action", AlarmAction),
        ("outcome", VisitOutcome),
        ("direction", Direction),
        ("pass_type", PassType),
        ("health_code", HealthCode),
    ],
)
def test_every_word_of_the_contract_has_words(table: str, words: type[AlarmKind]) -> None:
    assert {each.value for each in words} - set(TABLES[table]) == set()


def test_words() -> None:
    with translation.override("zh-hans"):
        assert word("reason", "normal") == "体温正常"
        assert word("mode", "normal") == "正常"
        assert word("door", "open") == "已打开"
        assert machine_words("reason", "挂失") == ["lost-card"]
    assert word("reason", "some\x00thing") == "some�thing"
    with pytest.raises(KeyError):
        word("no-such-table", "x")


@pytest.mark.parametrize("table", [table for table in SHAPES if table in TABLES])
def test_every_shape_stands_for_a_word(table: str) -> None:
    assert set(SHAPES[table]) == set(TABLES[table])
    assert len(set(SHAPES[table].values())) == len(SHAPES[table])


def test_every_colour_of_a_word_has_a_shape_beside_it() -> None:
    coloured = set(re.findall(r"\.([a-z_]+-[a-z_-]+)(?=[^{}]*\{[^}]*\bcolor:)", STYLES.read_text("utf-8")))
    badges = {f"{table}-{value}" for table, shapes in SHAPES.items() for value in shapes}
    assert {each for each in coloured if each.split("-")[0] in TABLES} - badges == set()
    assert {f"pass_type-{each}" for each in PassType} | {f"health_code-{each}" for each in HealthCode} <= coloured


def test_a_pass_never_looks_like_a_health_code() -> None:
    assert set(SHAPES["pass_type"].values()).isdisjoint(SHAPES["health_code"].values())
    for language in ("zh-hans", "en"):
        with translation.override(language):
            passes, codes = ({word(table, each) for each in TABLES[table]} for table in ("pass_type", "health_code"))
            assert passes.isdisjoint(codes)
