"""The terminal: what has a colour has a word and a shape too, and reads the same without colours."""

import io

import pytest
from rich.console import Console

from gateway.words import word
from menshen.demo.screen import _STYLES, Screen


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> tuple[Screen, io.StringIO]:
    """A terminal without colours, and what stands on it."""
    screen, text = Screen("en"), io.StringIO()
    monkeypatch.setattr(screen, "_console", Console(file=text, color_system=None, soft_wrap=True))
    return screen, text


@pytest.mark.parametrize("style", _STYLES)
def test_a_colour_never_stands_alone(style: str) -> None:
    shape, _ = _STYLES[style]
    assert shape and [other for other, (same, _) in _STYLES.items() if same == shape] == [style]
    assert word("zh", style) != style


def test_a_decision_is_told_in_words(screen: tuple[Screen, io.StringIO]) -> None:
    terminal, text = screen
    for outcome, reason in (("granted", "ok"), ("denied", "health-code-red"), ("denied", "code-used,too-old")):
        terminal.show({"what": "decision", "outcome": outcome, "reason": reason})
    terminal.show({"what": "step", "step": "health-code", "result": "failed", "reason": "test-too-old"})
    assert text.getvalue().splitlines() == [
        "    ✔ granted  ok",
        "    ✘ denied  health code red",
        "    ✘ denied  code used, too old",
        "    ✗ health code  test too old",
    ]
