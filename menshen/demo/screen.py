"""The demo's terminal: each visit's steps as they happen, what the gate says, alarms: words and a shape, never colour
alone."""

import os
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from gateway.words import WORDS, word

_STYLES = {
    "granted": ("✔", "bold green"),
    "passed": ("✓", "green"),
    "denied": ("✘", "bold red"),
    "failed": ("✗", "red"),
    "referred": ("☎", "bold yellow"),
    "abandoned": ("○", "dim"),
    "raised": ("▲", "bold red"),
    "acknowledged": ("▽", "yellow"),
    "cleared": ("△", "green"),
}


class Screen:
    """Prints as the demo goes; nothing is redrawn, so it can be scrolled, piped and read aloud."""

    def __init__(self, lang: str | None) -> None:
        self.lang = lang or ("zh" if os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("zh") else "en")
        self._console = Console(highlight=False, soft_wrap=True)

    def _line(self, text: Text | str) -> None:
        self._console.print(text)

    def working(self, what: str) -> None:
        """Something is being started."""
        self._line(Text(f"… {self._word('starting')} {self._word(what)}", "dim"))

    def started(self, what: str, where: str) -> None:
        """Something runs."""
        self._line(Text.assemble(("✓ ", "green"), self._word(what), "  ", (where, "cyan")))

    def ready(self, url: str, user: str, password: str, folder: Path) -> None:
        """Everything runs: where to look, and who to be there."""
        text = Text.assemble(
            (f"{self._word('open')}  ", ""), (url, "bold cyan underline"), "\n",
            (f"{self._word('user')}  ", ""), (user, "bold"), "    ",
            (f"{self._word('password')}  ", ""), (password, "bold"), "\n",
            (f"{self._word('files')}  {folder}", "dim"), "\n",
            (self._word("ctrl-c"), "dim"),
        )  # fmt: skip
        self._console.print(Panel(text, title="Menshen 门神", expand=False))

    def show(self, event: Mapping[str, str]) -> None:
        """One line of the gate's feed."""
        draw = getattr(self, f"_show_{event['what'].replace('-', '_')}", None)
        if draw is not None:
            draw(event)

    def _show_scene(self, event: Mapping[str, str]) -> None:
        self._line("")
        self._line(Text.assemble((f"{event['at']}  ", "bold"), (event[self.lang], "bold")))

    def _show_step(self, event: Mapping[str, str]) -> None:
        self._item(event["result"], [word(self.lang, event["step"]), self._reason(event), event.get("value", "")])

    def _show_decision(self, event: Mapping[str, str]) -> None:
        self._item(event["outcome"], [word(self.lang, event["outcome"]), self._reason(event)])

    def _show_door(self, event: Mapping[str, str]) -> None:
        self._line(Text(f"    ▮ {self._word('door')} {word(self.lang, event['state'])}", "dim"))

    def _show_alarm(self, event: Mapping[str, str]) -> None:
        kind, action = word(self.lang, event["kind"]), word(self.lang, event["action"])
        self._item(event["action"], [self._word("alarm"), kind, event.get("detail", ""), action])

    def _show_say(self, event: Mapping[str, str]) -> None:
        self._line(Text(f"    « {event[self.lang]} »", "italic cyan"))

    def _show_scene_ended(self, event: Mapping[str, str]) -> None:
        if event["outcome"] != event["expects"]:
            expected, was = word(self.lang, event["expects"]), word(self.lang, event["outcome"] or "nothing")
            self._line(Text(f"    ! {self._word('expected')} {expected}, {was}", "bold magenta"))

    def _item(self, style: str, words: list[str]) -> None:
        shape, colour = _STYLES.get(style, ("·", ""))
        self._line(Text.assemble("    ", (f"{shape} ", colour), ("  ".join(part for part in words if part), colour)))

    def _reason(self, event: Mapping[str, str]) -> str:
        return ", ".join(word(self.lang, reason) for reason in event.get("reason", "").split(",") if reason)

    def _word(self, key: str) -> str:
        return WORDS[key][self.lang]

    def tally(self, *, whole: bool) -> None:
        """The tally is about to be printed."""
        self._line("")
        self._item("granted" if whole else "denied", [self._word("whole" if whole else "not-whole")])

    def goodbye(self, folder: Path) -> None:
        """Ctrl-C."""
        self._line("")
        self._line(Text(f"{self._word('goodbye')}  {folder}", "dim"))
