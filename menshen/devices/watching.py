"""`menshen devices watch`: what a device says, how it is, and the bytes behind it, until Ctrl-C.

The port is opened as a gate opens it, and so it cannot be watched while a gate has it.
"""

import json
import os
import sys
import threading
import tomllib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from drivers.catalogue import MODELS, Bench, Kind
from drivers.holding import holder
from drivers.readings import (
    CardRead,
    CardUnread,
    CodeHint,
    CodeRead,
    Crossed,
    DeviceState,
    DeviceStatus,
    Level,
    Reading,
    Temperature,
)
from drivers.tally import Tally
from drivers.threaded import monotonic_ms
from gateway.config.problems import Report
from gateway.config.tables import Reader
from menshen.devices.simulating import by_hand
from sync.printable import printable

READINGS, RAW = 8, 14  # lines that are kept on the screen
LOOK_S: Final = 0.25
MANY: Final = 10  # equal readings in a row that are told
LINE_S: Final = 1.0  # a thermometer's readings come ten a second: one a second is a line
HEAD: Final = 12  # characters of a code that are shown: a pass is somebody's
_PORT_KEYS: Final = ("port", "path", "bus", "device")


def settings_of(model: str, port: str, more: Mapping[str, str]) -> Any:
    """A model's settings from the command line. Raises click.UsageError."""
    if model not in MODELS:
        raise click.UsageError(f"there is no model {model!r}: see `menshen devices models`")
    kind, wrong = MODELS[model].settings, MODELS[model].wrong
    names = kind.__dataclass_fields__
    key = next((key for key in _PORT_KEYS if key in names), None)
    given = dict(more)
    if port and key is None:
        raise click.UsageError(f"a {model} has no port: give its settings with --set, such as --set pin=17")
    if port and key is not None:
        given[key] = os.path.realpath(port)  # a link from elsewhere is as good as what it leads to
    report = Report("")
    table = {name: _value(text) for name, text in given.items()}
    settings = Reader(report, Path.cwd(), lambda _: []).section(kind, table, (model,))
    for name, text in wrong(settings) if settings is not None else ():
        report.rule(text, (model, name))
    if report.problems() or settings is None:
        said = "; ".join(f"{each.key.rpartition('.')[2]}: {each.text}" for each in report.problems())
        simulated = by_hand(model)
        of_ours = f". Before `menshen devices simulate {model}`: {simulated}" if simulated else ""
        raise click.UsageError(f"{model}: {said}; its keys: {', '.join(names)} (--set key=value){of_ours}")
    return replace(settings, **{key: port}) if port and key is not None else settings


def _value(text: str) -> object:
    """As it would stand in a gate's file; text needs no quotes."""
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text


def refuse_what_cannot_be_watched(name: str, model: str, settings: Any) -> None:
    """Raises click.ClickException for what says nothing, and for what a gate has."""
    if MODELS[model].kind in (Kind.OUTPUT, Kind.SPEAKER):
        raise click.ClickException(f"{name} says nothing that could be watched: its kind is {MODELS[model].kind}")
    for claim in MODELS[model].claims(settings):
        path = claim.rpartition(" ")[2]
        who = holder(path) if path.startswith("/dev/") else None
        if who is not None and who.is_gate:
            raise click.ClickException(
                f"the gate that runs here has {path} (process {who.pid}). How its devices are, with the time of their last valid "
                "frame, stands on the guard's page and on the office's page of gates, and in `menshen wire tail`; what it says of "
                "them is in its log (journalctl -u menshen-gate). To watch the port itself, stop the gate first "
                "(sudo systemctl stop menshen-gate)"
            )


class Watched:
    """What came of one device, from its threads to the screen."""

    def __init__(self, name: str, model: str, *, raw: bool, changed: Callable[[], None]) -> None:
        self.name = name
        self.model = model
        self.state = DeviceState.STARTING
        self.detail = ""
        self.readings: deque[str] = deque(maxlen=READINGS)
        self.raw: deque[str] | None = deque(maxlen=RAW) if raw else None
        self._lock = threading.Lock()
        self._fresh: list[tuple[str, str]] = []
        self._changed = changed
        self._said_ms = 0
        self._last: Reading | None = None
        self._equal = 0

    def post(self, reading: Reading) -> None:
        """The device's `post`."""
        if isinstance(reading, DeviceStatus):
            self.state, self.detail = reading.state, reading.detail
            self._take("state", f"{reading.state}: {reading.detail}" if reading.detail else str(reading.state))
            return
        text = in_words(reading) + self._equal_in_words(reading)
        self.readings.append(text)
        now_ms = monotonic_ms()
        if isinstance(reading, Temperature) and now_ms - self._said_ms < LINE_S * 1000:
            return
        self._said_ms = now_ms
        self._take("reading", text)

    def _equal_in_words(self, reading: Reading) -> str:
        """How often a thermometer has said the very same, once that is strange: it may hang."""
        self._equal = self._equal + 1 if reading == self._last else 1
        self._last = reading
        return f"; {self._equal} equal readings" if isinstance(reading, Temperature) and self._equal >= MANY else ""

    def tap(self, direction: str, data: bytes | None, length: int) -> None:
        """The device's bytes."""
        if self.raw is not None:
            text = raw_in_words(direction, data, length)
            self.raw.append(text)
            self._take("raw", text)

    def fresh(self) -> list[tuple[str, str]]:
        """What has come since this was last asked: what it is, and in words."""
        with self._lock:
            taken, self._fresh = self._fresh, []
        return taken

    def _take(self, kind: str, text: str) -> None:
        with self._lock:
            if len(self._fresh) < 10_000:  # a screen that does not keep up is not worth more
                self._fresh.append((kind, text))
        self._changed()


def in_words(reading: Reading) -> str:  # noqa: PLR0911  a row for each kind of reading
    """A reading, without what is somebody's: of a code its beginning; of a card its number, and what its settings allow."""
    match reading:
        case Temperature(object_c, ambient_c, body_c):
            ambient = "does not tell its surroundings" if ambient_c is None else f"sensor {ambient_c:.2f} °C"
            body = "" if body_c is None else f", body {body_c:.2f} °C"
            return f"{object_c:.2f} °C{body} ({ambient})"
        case CardRead(uid, technology, facts):
            told = "".join(f", {name}: {value}" for name, value in facts)
            return printable(f"card {uid} ({technology}){told}")
        case CardUnread(why):
            return f"a card that cannot be read: {why}"
        case CodeRead(data, text, symbology, decoder):
            begins = text[:HEAD] if text else data[: HEAD // 2].hex(" ")
            more = "…" if len(data) > HEAD else ""
            return printable(f"code of {len(data)} bytes: {begins}{more} ({symbology or 'kind not told'}, {decoder})")
        case CodeHint(hint):
            return f"something like a code, which cannot be read: {hint}"
        case Level(active):
            return "active" if active else "at rest"
        case Crossed(inward):
            return "somebody went in" if inward else "somebody went out"
        case DeviceStatus(state, detail):
            return f"{state}: {detail}"


def raw_in_words(direction: str, data: bytes | None, length: int) -> str:
    """Bytes as hexadecimal and as text; of a person's, how many."""
    if data is None:
        return f"{direction} {length} bytes (a person's: not shown)"
    shown = data[:64]
    text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in shown)
    return f"{direction} {shown.hex(' ')}{' …' if len(data) > len(shown) else ''}  |{text}|"


def built(name: str, model: str, settings: Any) -> Any:
    """The device. Who watches a thermometer is known to be there: one that hangs is found out as with people before it."""
    device = MODELS[model].build(name, settings, Bench())
    if MODELS[model].kind is Kind.THERMOMETER:
        device.near = lambda _now_ms: True
    return device


def run(name: str, model: str, settings: Any, *, raw: bool, as_json: bool, seconds: float | None) -> None:
    """Watch until Ctrl-C, or so long."""
    woken = threading.Event()
    watched = Watched(name, model, raw=raw, changed=woken.set)
    device = built(name, model, settings)
    if hasattr(device, "tap"):
        device.tap = watched.tap
    end_ms = None if seconds is None else monotonic_ms() + seconds * 1000
    device.start(watched.post)
    try:
        _follow(device, watched, woken, end_ms, as_json=as_json)
    except KeyboardInterrupt:
        pass
    finally:
        device.stop()


def _follow(device: Any, watched: Watched, woken: threading.Event, end_ms: float | None, *, as_json: bool) -> None:
    console = Console()
    if console.is_terminal and not as_json:
        with Live(screen(watched, tally_of(device)), console=console, auto_refresh=False) as live:
            while _goes_on(end_ms):
                woken.wait(LOOK_S)
                woken.clear()
                watched.fresh()
                live.update(screen(watched, tally_of(device)), refresh=True)
        return
    due_ms = 0
    while _goes_on(end_ms):
        woken.wait(LOOK_S)
        woken.clear()
        for kind, text in watched.fresh():
            _line(kind, text, as_json=as_json)
        if monotonic_ms() >= due_ms:
            due_ms = monotonic_ms() + round(LINE_S * 1000)
            _line("tally", counters(tally_of(device)), as_json=as_json, more=_plain(watched, tally_of(device)))


def _goes_on(end_ms: float | None) -> bool:
    return end_ms is None or monotonic_ms() < end_ms


def _line(kind: str, text: str, *, as_json: bool, more: Mapping[str, object] | None = None) -> None:
    if as_json:
        line = json.dumps({"kind": kind, **(more if more is not None else {"text": text})}, ensure_ascii=False)
    else:
        line = f"{datetime.now().astimezone():%H:%M:%S} {text}"
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def tally_of(device: Any) -> Tally | None:
    """What a device has to show for itself, where it counts."""
    found = getattr(device, "tally", None)
    return found if isinstance(found, Tally) else None


def counters(tally: Tally | None) -> str:
    """In one line."""
    if tally is None:
        return "it counts nothing"
    return (
        f"last valid frame: {since(tally)}; {tally.frames} frames, {tally.bad} bad, {tally.noise} bytes of noise, "
        f"{tally.reopens} reopened"
    )


def since(tally: Tally) -> str:
    """How long ago its last valid frame came."""
    if tally.last_valid_ms is None:
        return "none yet"
    return f"{max(0, monotonic_ms() - tally.last_valid_ms) / 1000:.1f} s ago"


def _plain(watched: Watched, tally: Tally | None) -> dict[str, object]:
    told: dict[str, object] = {"state": watched.state.value, "detail": watched.detail}
    if tally is not None:
        last_ms = tally.last_valid_ms
        told |= {
            "since_valid_s": None if last_ms is None else max(0, monotonic_ms() - last_ms) / 1000,
            "frames": tally.frames,
            "bad": tally.bad,
            "noise": tally.noise,
            "reopens": tally.reopens,
        }
    return told


_TONES: Final = {
    DeviceState.OK: "green",
    DeviceState.STARTING: "cyan",
    DeviceState.STALE: "yellow",
    DeviceState.LOST: "red",
}


def screen(watched: Watched, tally: Tally | None) -> Group:
    """What is on a terminal."""
    head = Text.assemble(
        (f"{watched.name} ", "bold"), f"({watched.model})  ", (watched.state.value, _TONES[watched.state])
    )
    if watched.detail and watched.state is not DeviceState.OK:
        head.append(f"  {printable(watched.detail)}")
    table = Table(box=None, show_header=False, pad_edge=False)
    for text in list(watched.readings):
        table.add_row(Text(text))
    parts: list[Any] = [head, Text(counters(tally), style="dim"), table]
    if watched.raw is not None:
        parts += [Text("bytes", style="dim"), *(Text(line, overflow="fold") for line in list(watched.raw))]
    return Group(*parts)
