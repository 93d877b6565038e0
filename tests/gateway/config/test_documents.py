"""The example and the reference, held against the declarations."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from drivers.catalogue import MODELS
from gateway.config import check
from gateway.config.loading import all_sections
from gateway.config.reference import configuration_markdown, default_text, value_text
from gateway.config.settings import ResolverConfig
from gateway.config.tables import Key, declared
from gateway.config.uses import Use

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "config" / "gate.example.toml"
REFERENCE = ROOT / "docs" / "configuration.md"


@dataclass
class Shown:
    """One key of the example: its value as written, whether it stands behind a #, and the comment above it."""

    value: str
    commented: bool
    comment: str

    @property
    def content(self) -> object:
        return tomllib.loads(f"x = {self.value}")["x"]


@dataclass
class Section:
    """One section of the example, perhaps behind a #."""

    name: str
    commented: bool
    keys: dict[str, Shown] = field(default_factory=dict)

    @property
    def model(self) -> str:
        return str(self.keys["model"].content)


def sections() -> Iterator[Section]:
    comment: list[str] = []
    section: Section | None = None
    for line in EXAMPLE.read_text("utf-8").splitlines():
        header = re.fullmatch(r"(# )?\[([a-z0-9.-]+)\]", line)
        key = re.fullmatch(r"(# )?([a-z][a-z0-9_]*) = (.+)", line)
        if header:
            if section is not None:
                yield section
            name = re.sub(r"^(policy\.(?:rules|schedules|rounds))\..*", r"\1.NAME", header[2])
            section = Section(name, header[1] is not None)
        elif key and section is not None:
            section.keys[key[2]] = Shown(key[3], key[1] is not None, "\n".join(comment))
        comment = [*comment, line] if line.startswith("#") and not header and not key else []
    if section is not None:
        yield section


ALL = list(sections())
DEVICES = [section for section in ALL if section.name.startswith("devices.")]
(RESOLVER,) = [section for section in ALL if section.name.startswith("resolvers.")]


def documented(section: Section, keys: Iterable[Key]) -> None:
    """Each key: meaning, what it takes, its default, and some Chinese."""
    for key in keys:
        place = f"[{section.name}] {key.name}"
        assert key.name in section.keys, place
        shown = section.keys[key.name]
        assert str(key.meta.description) in shown.comment, place
        assert value_text(key).lower() in shown.comment.lower(), place
        assert re.search("[\u4e00-\u9fff]", shown.comment), place
        if key.default is MISSING:
            assert "Required." in shown.comment, place
        elif key.default is None:
            assert "Default: none." in shown.comment, place
        elif shown.commented and not section.name.endswith(".NAME"):
            assert shown.value == default_text(key), place


@pytest.mark.parametrize(("name", "kind"), [each for each in all_sections() if declared(each[1]).keys])
def test_the_example_documents_every_key(name: str, kind: type[Any]) -> None:
    (section,) = [each for each in ALL if each.name == name]
    documented(section, declared(kind).keys.values())


def test_the_example_documents_every_key_of_a_resolver() -> None:
    documented(RESOLVER, declared(ResolverConfig).keys.values())


@pytest.mark.parametrize("model", MODELS)
def test_the_example_documents_every_model(model: str) -> None:
    """In a section of its own, or in one of another model that is told the same."""
    kind = MODELS[model].settings
    alike = [section for section in DEVICES if MODELS[section.model].settings is kind]
    assert alike, f"{EXAMPLE} has no section that shows the keys of {model} (its declaration is in drivers/models)"
    own_first = sorted(alike, key=lambda section: section.model != model)
    documented(own_first[0], declared(kind).keys.values())


def test_the_example_shows_every_use() -> None:
    assert {section.keys["use"].content for section in DEVICES} == set(Use)


def test_the_example_has_nothing_else() -> None:
    known = dict(all_sections())
    assert [section.model for section in DEVICES if section.model not in MODELS] == [], (
        "drivers/catalogue.py has no such model"
    )
    for section in ALL:
        if section in DEVICES:
            allowed = {"model", "use", *declared(MODELS[section.model].settings).keys}
        elif section is RESOLVER:
            allowed = set(declared(ResolverConfig).keys)
        else:
            allowed = set(declared(known[section.name]).keys)
        assert set(section.keys) <= allowed, section.name


def test_nothing_is_wrong_with_the_example() -> None:
    assert check(EXAMPLE, {}) == ()


@pytest.mark.parametrize("section", [each for each in DEVICES if each.commented], ids=lambda each: str(each.name))
def test_a_device_behind_a_hash_is_right_by_itself(section: Section, tmp_path: Path) -> None:
    """Taken in, it only meets the device that it is to replace."""
    lines = "".join(f"{name} = {shown.value}\n" for name, shown in section.keys.items())
    path = tmp_path / "gate.toml"
    path.write_text(f"{EXAMPLE.read_text('utf-8')}\n[{section.name}]\n{lines}", "utf-8")
    wrong = [each for each in check(path, {}) if not re.match("a gate has one|pin .* is taken by", each.text)]
    assert wrong == []


def test_the_resolver_behind_a_hash_is_right_by_itself(tmp_path: Path) -> None:
    """But for the files it names, which are not here."""
    lines = "".join(f"{name} = {shown.value}\n" for name, shown in RESOLVER.keys.items() if not name.endswith("_file"))
    path = tmp_path / "gate.toml"
    path.write_text(f"{EXAMPLE.read_text('utf-8')}\n[{RESOLVER.name}]\n{lines}", "utf-8")
    assert check(path, {}) == ()


def test_the_reference_is_up_to_date() -> None:
    assert REFERENCE.read_text("utf-8") == configuration_markdown(), "run: make docs"


def test_the_reference_is_a_page_of_whole_tables() -> None:
    page = configuration_markdown()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert {row.count("|") for row in rows} == {5}
    for kind in (ResolverConfig, *(kind for _, kind in all_sections()), *(model.settings for model in MODELS.values())):
        for name in declared(kind).keys:
            assert f"| `{name}` |" in page
    assert all(f'### model = "{model}"' in page for model in MODELS)
    assert all(f"| `{use}` |" in page for use in Use)
