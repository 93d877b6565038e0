"""What a terminal may be shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.printable import printable, time_words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain 门\u3000神", "plain 门\u3000神"),
        ("\x1b[31m\x00\x7f", "\\x1b[31m\\x00\\x7f"),
        ("\x9b\u200f\u202e\u2066\ufeff", "\\x9b\\u200f\\u202e\\u2066\\ufeff"),
        ("\r\n\t\u2028", "\\x0d\\x0a\\x09\\u2028"),
        ("\ud800\U000e0001", "\\ud800\\U000e0001"),
        (b"ok\xff\x1b", "ok\\xff\\x1b"),
    ],
)
def test_what_is_no_letter_is_named(text: str | bytes, shown: str) -> None:
    assert printable(text) == shown


@given(st.text() | st.binary())
def test_nothing_gets_through(text: str | bytes) -> None:
    shown = printable(text)
    assert all(char.isprintable() or char.isspace() for char in shown)
    assert not set(shown) & {
        "\n",
        "\r",
        "\t",
        "\x0b",
        "\x0c",
        "\x85",
        "\u2028",
        "\u2029",
        "\x1c",
        "\x1d",
        "\x1e",
        "\x1f",
    }
    assert printable(shown) == shown


def test_times() -> None:
    assert time_words(1_700_000_000_123)[-13:].startswith(":20.123")
    assert time_words(2**63) == f"{2**63} ms"
    assert time_words(-(2**63)) == f"{-(2**63)} ms"
