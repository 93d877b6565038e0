"""Phrase packs."""

import re
from pathlib import Path

import pytest

from gateway.config import ConfigError
from gateway.config.settings import Language
from gateway.core.phrases import VALUES, Phrase
from gateway.voice import VoiceError, load_packs, words
from gateway.voice.packs import SHIPPED

SOME = {"celsius": "36.5", "number": "3", "bay": "2"}


@pytest.mark.parametrize("lang", Language)
@pytest.mark.parametrize("phrase", Phrase)
def test_every_phrase_has_words(phrase: Phrase, lang: Language) -> None:
    values = {name: SOME[name] for name in VALUES.get(phrase, ())}
    text = words(phrase, values, lang)
    assert (lang is Language.ZH) == bool(re.search("[\u4e00-\u9fff]", text))
    assert all(value in text for value in values.values())


def test_the_line_people_know() -> None:
    assert words("granted-normal", SOME, "zh") == "体温36.5度，体温正常，请通过。"
    assert words("granted-normal", SOME, "en").startswith("36.5 degrees")


def test_chinese_is_spoken_without_a_digit() -> None:
    packs = load_packs(SHIPPED)
    for phrase in Phrase:
        assert not re.search(r"[0-9A-Za-z]", packs.spoken(phrase, SOME, "zh")), phrase
    assert packs.spoken("granted-normal", SOME, "zh").startswith("体温三十六点五度")
    assert packs.spoken("granted-normal", SOME, "en") == packs.words("granted-normal", SOME, "en")


@pytest.mark.parametrize(("phrase", "values", "lang"), [("hello", {}, "zh"), ("fever", {}, "en"), ("fire", {}, "fr")])
def test_what_is_not_there(phrase: str, values: dict[str, str], lang: str) -> None:
    with pytest.raises(VoiceError, match=phrase):
        words(phrase, values, lang)


def pack(folder: Path, change: str, by: str) -> list[str]:
    """What is said about the shipped English pack with one line changed."""
    text = (SHIPPED / "en.toml").read_text("utf-8")
    assert len(re.findall(change, text, re.MULTILINE)) == 1
    path = folder / "en.toml"
    path.write_text(re.sub(change, lambda _: by, text, flags=re.MULTILINE), "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_packs(folder, ["en"])
    line = path.read_text("utf-8").splitlines().index(by) + 1 if by else 0
    assert all(problem.line in (line, 0) for problem in caught.value.problems)
    return [f"{problem.key}: {problem.text}" for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('goodby = "Bye."', ["goodbye: is missing", "goodby: unknown phrase; the nearest known one is goodbye"]),
        ("", ["goodbye: is missing"]),
        ("goodbye = 3", ["goodbye: must be text in quotes, not 3"]),
        ('goodbye = " "', ["goodbye: must be one line of 1 to 160 characters"]),
        ('goodbye = "a\\nb"', ["goodbye: must be one line of 1 to 160 characters"]),
        (f'goodbye = "{"x" * 161}"', ["goodbye: must be one line of 1 to 160 characters"]),
        ('goodbye = "{celsius}"', ["goodbye: unknown placeholder {celsius}; this phrase holds no values"]),
    ],
)
def test_wrong_lines(tmp_path: Path, line: str, wrong: list[str]) -> None:
    assert pack(tmp_path, "^goodbye = .*$", line) == wrong


@pytest.mark.parametrize(
    "text", ["{}", "{name}", "{celsius.__class__}", "{celsius!r}", "{celsius:>99999999}", "{0}", "{celsius[0]}"]
)
def test_placeholders_are_plain_names(tmp_path: Path, text: str) -> None:
    (found,) = pack(tmp_path, "^fever = .*$", f'fever = "{text}"')
    assert found.startswith("fever: unknown placeholder {")
    assert found.endswith("this phrase can hold {celsius}")


def test_a_lone_brace(tmp_path: Path) -> None:
    (found,) = pack(tmp_path, "^fever = .*$", 'fever = "}"')
    assert "{{ stands for a brace" in found


def test_all_packs_are_read_before_anything_is_said(tmp_path: Path) -> None:
    (tmp_path / "zh.toml").write_text("= 3")
    with pytest.raises(ConfigError) as caught:
        load_packs(tmp_path)
    assert [Path(problem.file).name for problem in caught.value.problems] == ["zh.toml", "en.toml"]
