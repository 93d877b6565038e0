"""The first look: what no honest code is like, and what looks like ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.resolve.first_look import MAX_TEXT, find_fault
from gateway.resolve.resolver import SCHEMES

OURS = [scheme.beginning for scheme in SCHEMES if scheme.beginning]
CONTROLS = [
    *map(chr, range(0x20)),
    "\x7f",
    *map(chr, range(0x80, 0xA0)),
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\ud800",
]


def test_the_kinds_that_are_told_by_their_beginning() -> None:
    assert OURS == ["MP1:", "HC1:", "shc:/"]


@pytest.mark.parametrize("beginning", OURS)
def test_behind_a_beginning_of_ours_there_is_no_control(beginning: str) -> None:
    assert find_fault(beginning + "6BF", OURS) is None
    for control in CONTROLS:
        assert find_fault(f"{beginning}6B{control}F", OURS) == "control-characters"


def test_elsewhere_those_of_goods_and_visiting_cards_are_ordinary() -> None:
    ordinary = {control for control in CONTROLS if find_fault(f"JKM{control}1", OURS) is None}
    assert ordinary == {"\t", "\n", "\r", "\x04", "\x1d", "\x1e"}


@pytest.mark.parametrize("text", ["", "A" * (MAX_TEXT + 1)])
def test_no_qr_holds_it(text: str) -> None:
    assert find_fault(text, OURS) == ("too-long" if text else "empty")
    assert find_fault("A" * MAX_TEXT, OURS) is None


@pytest.mark.parametrize("beginning", OURS)
def test_what_only_looks_like_it(beginning: str) -> None:
    wide = "".join(chr(ord(each) + 0xFEE0) for each in beginning)
    spaced = "\u200b".join(beginning)
    for text in (
        wide,
        spaced,
        f" {beginning}",
        f"\ufeff{beginning}",
        beginning.swapcase(),
        beginning.replace("1", "l"),
    ):
        expected = None if text == beginning else "look-alike"
        assert find_fault(f"{text}6BF", OURS) == expected, ascii(text)


@pytest.mark.parametrize(
    "text", ["HC", "HC1", "HC1 :", "MP2:1", "shc:", "https://mp1:x", "粤康码", "hello: HC1:6BF", "MP:1", "HCX1:"]
)
def test_what_does_not_begin_like_it_is_ordinary(text: str) -> None:
    assert find_fault(text, OURS) == ("look-alike" if text == "HC1 :" else None)


@given(st.text(max_size=40))
def test_without_kinds_nothing_looks_like_one(text: str) -> None:
    assert find_fault(text, []) != "look-alike"
