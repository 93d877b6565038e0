"""`menshen devices simulate`: a device on a pty, for any program that can open a serial port."""

import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from drivers.catalogue import MODELS
from drivers.errors import WrongUse
from drivers.signs import Sign
from drivers.simulators.line import UNPLUGGED, SerialLine
from drivers.simulators.setup import Setup
from drivers.simulators.standalone import LINES, act, commands_of


def line_of(model: str, setup: Setup) -> SerialLine:
    """The simulator of a model. Raises click.ClickException for one that has no port of its own."""
    name = model.removeprefix("simulated-")
    if name in LINES:
        try:
            line = LINES[name](name, setup)
        except WrongUse as error:
            raise click.ClickException(str(error)) from error
        _check_rate(name, setup)
        return line
    if name in MODELS or model in MODELS:
        raise click.ClickException(
            f"{name} has no serial port, and so no simulator on one: {_instead(name)}. On a port of their own: {', '.join(LINES)}"
        )
    raise click.ClickException(f"there is no model {model!r}. On a port of their own: {', '.join(LINES)}")


def section(model: str, port: str) -> str:
    """What to write into a gate's file to read the simulator at this port, where that is more than the model and the port."""
    told = MODELS[model].line_settings
    if not told:
        return ""
    rows = {"model": f'"{model}"', "port": f'"{port}"', "use": f'"{_use(model)}"', **told}
    return (
        f"to read it, in a gate's file:\n  [devices.{_use(model) or model}]\n"
        + "".join(f"  {key} = {value}\n" for key, value in rows.items())
        + f"or: menshen devices watch --model {model} --port {port} {by_hand(model)}\n"
    )


def by_hand(model: str) -> str:
    """The same as options of `watch`; "" where the port is enough."""
    return " ".join(f"--set {key}={value.strip(chr(34))}" for key, value in MODELS[model].line_settings.items())


def _use(model: str) -> str:
    wiring = MODELS[model].wiring
    return wiring.use if wiring is not None else ""


def _check_rate(name: str, setup: Setup) -> None:
    """Raises click.ClickException for a rate that no module of this model has; one whose settings take a rate has any."""
    model = MODELS[name]
    sign = model.sign() if model.sign is not None else None
    if setup.baud is None or not isinstance(sign, Sign) or "baud" in model.settings.__dataclass_fields__:
        return
    if setup.baud not in sign.bauds:
        raise click.ClickException(f"{name} has no {setup.baud} baud; it has {', '.join(map(str, sorted(sign.bauds)))}")


def _instead(name: str) -> str:
    """What there is in its place."""
    twin = MODELS[name].simulated if name in MODELS else None
    if twin is not None or f"simulated-{name}" in MODELS:
        return f'its twin is inside the gate alone: write model = "{twin.name if twin else f"simulated-{name}"}" into a gate\'s file'
    if name in ("folder", "video"):
        return f"a {name} stands in for a camera as it is: menshen devices watch --model {name} --port PATH, or in a gate's file"
    return 'it has no simulator of its own: the gate\'s drawn camera is model = "simulated-camera"; photographs and videos are read by "folder" and "video"'


class Link:
    """A name that stays, and leads to wherever the device is plugged in."""

    def __init__(self, path: Path | None) -> None:
        if path is not None and path.exists() and not path.is_symlink():
            raise click.ClickException(f"{path} is there already, and is no link: name another")
        self._path = path

    def follow(self, port: str) -> None:
        """Lead there, or nowhere while it is unplugged. Raises OSError."""
        if self._path is None:
            return
        if port == UNPLUGGED:
            self._path.unlink(missing_ok=True)
            return
        fresh = self._path.with_name(f".{self._path.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(port)
        fresh.replace(self._path)


def run(model: str, setup: Setup, *, link: Path | None, said: Sequence[str]) -> None:
    """Until Ctrl-C or SIGTERM. Standard input takes what people do, a line each; its end ends nothing."""
    line = line_of(model, setup)
    name = Link(link)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    line.start()
    try:
        name.follow(line.path)
        click.echo(line.path)
        click.echo(section(model.removeprefix("simulated-"), str(link or line.path)), err=True, nl=False)
        for each in said:
            click.echo(_done(line, setup, name, each), err=True)
        if sys.stdin is not None:
            threading.Thread(target=_listen, args=(lambda words: _done(line, setup, name, words),), daemon=True).start()
        if sys.stdin is not None and sys.stdin.isatty():
            click.echo(_help(line), err=True)
        stop.wait()
    except OSError as error:
        raise click.ClickException(f"{link}: {error.strerror or error}") from error
    finally:
        line.stop()
        if link is not None and link.is_symlink():
            link.unlink()


def _listen(do: Callable[[str], str]) -> None:
    for words in sys.stdin:
        if words.strip():
            click.echo(do(words), err=True)


def _done(line: SerialLine, setup: Setup, name: Link, words: str) -> str:
    """Do it; what has happened, or why not."""
    if words.strip() == "help":
        return _help(line)
    try:
        happened = act(line, setup, words)
        name.follow(line.path)
    except (WrongUse, OSError) as error:
        return str(error)
    return happened


def _help(line: SerialLine) -> str:
    rows = [(each.words, each.meaning) for each in commands_of(line).values()]
    width = max(len(words) for words, _ in rows)
    return "\n".join(f"  {words:{width}}  {meaning}" for words, meaning in rows)
