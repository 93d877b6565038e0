"""The line of each key, held against tomllib."""

import json
import string
import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.lines import KeyPath, key_lines

TEXT = '''\
# a comment with [brackets] and key = 1
top = 1
[a]
x = "a # no comment"   # a comment
"quoted key" = 'c:\\'
'lit.eral' = 2020-01-01 10:00:00
b.c = true
b . "d" = { e = 1, f.g = [1, 2] } # inline

many = [
  "one", # first
  # between
  "two",
  [ 3,
    4 ],
]
long = """
not = "a key"
[nor.a.section]
\\"""
""""
raw = \'\'\'
[nothing]
x = \'\' 1\'\'\'
after = 1
[ a . sub ]
y=-1.5e3
[[list]]
n = 1
[[list]]
n = 2
[list.below]
z = inf'''


def test_all_of_toml() -> None:
    lines = key_lines(TEXT)
    expected: dict[KeyPath, int] = {
        ("top",): 2,
        ("a",): 3,
        ("a", "x"): 4,
        ("a", "quoted key"): 5,
        ("a", "lit.eral"): 6,
        ("a", "b"): 7,
        ("a", "b", "c"): 7,
        ("a", "b", "d"): 8,
        ("a", "b", "d", "e"): 8,
        ("a", "b", "d", "f"): 8,
        ("a", "b", "d", "f", "g"): 8,
        ("a", "b", "d", "f", "g", 0): 8,
        ("a", "b", "d", "f", "g", 1): 8,
        ("a", "many"): 10,
        ("a", "many", 0): 11,
        ("a", "many", 1): 13,
        ("a", "many", 2): 14,
        ("a", "many", 2, 0): 14,
        ("a", "many", 2, 1): 15,
        ("a", "long"): 17,
        ("a", "raw"): 22,
        ("a", "after"): 25,
        ("a", "sub"): 26,
        ("a", "sub", "y"): 27,
        ("list",): 28,
        ("list", "n"): 29,
        ("list", "below"): 32,
        ("list", "below", "z"): 33,
    }
    tomllib.loads(TEXT)
    assert lines == expected


def test_line_ends_of_other_systems() -> None:
    assert key_lines(TEXT.replace("\n", "\r\n")) == key_lines(TEXT)


def paths(value: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield (*path, key)
            yield from paths(below, (*path, key))
    elif isinstance(value, list):
        for at, below in enumerate(value):
            yield (*path, at)
            yield from paths(below, (*path, at))


NAMES = st.text(string.ascii_letters + " .\"'#[]=中\\", min_size=0, max_size=6)
SCALARS = st.one_of(st.booleans(), st.integers(-9, 10**9), st.text(alphabet="ab\"'#[]{}=,\n\\中 ", max_size=12))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))


def written(value: object, multiline: bool) -> str:
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{json.dumps(key)} = {written(below, multiline)}" for key, below in value.items()) + " }"
        )
    if isinstance(value, list):
        space = "\n  # c ]\n  " if multiline else ""
        return f"[{space}" + f",{space}".join(written(below, multiline) for below in value) + f"{space}]"
    if isinstance(value, str) and multiline:
        return '"""' + value.replace("\\", "\\\\").replace('"', '\\"') + '"""'
    return json.dumps(value, ensure_ascii=False)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=4), max_size=4), st.booleans())
def test_every_key_of_any_file_has_its_line(content: dict[str, dict[str, object]], multiline: bool) -> None:
    text = ""
    begins: dict[KeyPath, int] = {}
    for section, values in content.items():
        begins[section,] = text.count("\n") + 1
        text += f"[{json.dumps(section)}] # ]\n"
        for key, value in values.items():
            begins[section, key] = text.count("\n") + 1
            text += f"{json.dumps(key)} = {written(value, multiline)}\n"
    parsed = tomllib.loads(text)
    lines = key_lines(text)
    assert set(paths(parsed)) == set(lines)
    assert {path: lines[path] for path in begins} == begins


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab.=\"'#[]{},\n\\ 1", max_size=40))
def test_any_text_ends(text: str) -> None:
    """Also one that is not TOML: it never fails and never hangs."""
    for line in key_lines(text).values():
        assert 1 <= line <= text.count("\n") + 1


@pytest.mark.parametrize("depth", [10, 100_000])
def test_nested_deeply(depth: int) -> None:
    assert key_lines("a = " + "[" * depth + "]" * depth)["a",] == 1
