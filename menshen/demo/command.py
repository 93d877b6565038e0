"""The demo's command: starts everything, shows it live, ends it cleanly."""

import json
import signal
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import click

from menshen.demo.broker import parse_broker, reach_broker, start_broker
from menshen.demo.cast import CastFiles, make_cast
from menshen.demo.gate import GATE, SITE, gate_config, parse_camera
from menshen.demo.processes import Child, DemoError, free_port, menshen, run_once, wait_for_port
from menshen.demo.screen import Screen
from menshen.demo.tally import Tally, take_tally

SETTLE_S = 120.0  # how long the office may take for what is still on its way


@click.command(short_help="Everything on this machine: broker, office and one simulated gate.")
@click.option("--visits", type=click.IntRange(min=1), help="Run this many visits, as fast as they go; else for ever.")
@click.option("--exit", "exit_", is_flag=True, help="End once the office has every record; prints a tally as JSON.")
@click.option("--broker", metavar="HOST[:PORT]", help="Use this MQTT broker instead of starting one.")
@click.option("--camera", metavar="PATH", help="A folder of photographs or a video file instead of the drawn camera.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The office's port on 127.0.0.1 (another when taken).",
)
@click.option("--lang", type=click.Choice(["zh", "en"]), help="Language of this terminal; default: from LANG.")
@click.option(
    "--data", metavar="DIR", type=click.Path(path_type=Path), help="Keep everything here; default: a new folder."
)
def demo(
    visits: int | None,
    exit_: bool,
    broker: str | None,
    camera: str | None,
    port: int,
    lang: str | None,
    data: Path | None,
) -> None:
    """Run a whole Menshen on this machine: an MQTT broker, the office in a browser, and one gate whose devices are
    simulators on the real drivers. People come and go by a script; Ctrl-C ends all of it.

    \b
    menshen demo                          watch a day at a gate, over and over
    menshen demo --visits 50 --exit       50 visits as fast as they go, then a tally
    menshen demo --camera ../photographs  hold your own pictures of QR codes to the gate
    """
    if exit_ and visits is None and camera is None:
        raise click.UsageError("--exit needs --visits N: without it the day goes on for ever")
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    folder = (data or Path(tempfile.mkdtemp(prefix="menshen-demo-"))).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.BadParameter(f"{folder}: {error.strerror}", param_hint="--data") from error
    screen = Screen(lang)
    try:
        with ExitStack() as stack:
            run = _Run(folder, screen, stack, visits=visits, exit_=exit_, camera=camera)
            result = run.everything(broker, port)
    except KeyboardInterrupt:
        screen.goodbye(folder)
        return
    except DemoError as error:
        raise click.ClickException(str(error)) from error
    if result is not None:
        tally, wall_s = result
        click.echo(json.dumps({**asdict(tally), "wall_s": round(wall_s, 1)}))
        sys.exit(0 if tally.whole else 1)


class _Run:
    """One run of the demo; what it starts is ended by the exit stack, the last first."""

    def __init__(
        self, folder: Path, screen: Screen, stack: ExitStack, *, visits: int | None, exit_: bool, camera: str | None
    ) -> None:
        self._folder = folder
        self._screen = screen
        self._stack = stack
        self._visits = visits
        self._exit = exit_
        self._camera = parse_camera(camera)
        self._office_env = {
            "MENSHEN_OFFICE_DIR": str(folder / "office"),
            "MENSHEN_OFFICE_CLOCKS": "scripted",
            "MENSHEN_LOG": "WARNING",
        }

    def everything(self, broker: str | None, port: int) -> tuple[Tally, float] | None:
        """Start, watch, and (with --exit) tally; how long it took, in seconds."""
        started = time.monotonic()
        host, broker_port = self._broker(broker)
        files = make_cast(self._folder, SITE)
        url, password = self._office(host, broker_port, port, files)
        gate = self._gate(host, broker_port, files)
        self._screen.ready(url, "demo", password, self._folder)
        finished = self._watch(gate)
        if not (self._exit and finished):
            return None
        tally = self._settle(gate)
        self._screen.tally(whole=tally.whole)
        return tally, time.monotonic() - started

    def _keep(self, child: Child) -> Child:
        self._stack.callback(child.stop)
        return child

    def _broker(self, given: str | None) -> tuple[str, int]:
        if given:
            host, port = parse_broker(given)
            reach_broker(host, port)
            self._screen.started("broker", f"{host}:{port}")
            return host, port
        child, host, port_number = start_broker(self._folder)
        self._keep(child)
        self._screen.started(child.name, f"{host}:{port_number}")
        return host, port_number

    def _office(self, host: str, broker_port: int, port: int, files: CastFiles) -> tuple[str, str]:
        self._screen.working("office")
        run_once("office migrate", menshen("office", "migrate"), self._office_env)
        answer = run_once("office user add", menshen("office", "user", "add", "demo", "--json"), self._office_env)
        password = str(json.loads(answer)["password"])
        run_once("office gate add", menshen("office", "gate", "add", GATE, "--name", "Demo gate"), self._office_env)
        port = port if port and _is_free(port) else free_port()
        serve = menshen("office", "serve", "--host", "127.0.0.1", "--port", str(port))
        web = self._keep(Child("office", serve, self._folder / "office-web.log", env=self._office_env))
        ingest = menshen("office", "ingest", "--broker", host, "--port", str(broker_port), "--plaintext")
        ingest += ["--signing-key", str(files.office)]
        self._keep(Child("ingest", ingest, self._folder / "office-ingest.log", env=self._office_env))
        wait_for_port(web, "127.0.0.1", port)
        self._screen.started("office", f"http://127.0.0.1:{port}/")
        return f"http://127.0.0.1:{port}/", password

    def _gate(self, host: str, broker_port: int, files: CastFiles) -> Child:
        self._screen.working("gate")
        config = self._folder / "gate.toml"
        config.write_text(
            gate_config(
                self._folder,
                files,
                host,
                broker_port,
                visits=self._visits,
                camera=self._camera,
                fast=self._exit or self._visits is not None,
            ),
            "utf-8",
        )
        run_once("gate check", menshen("gate", "check", "--config", str(config)), {})
        load = menshen("gate", "directory", "load", "--config", str(config), str(files.directory))
        run_once("gate directory load", load, {})
        run_once("trust import", menshen("trust", "import", "--config", str(config), str(files.trust)), {})
        run = menshen("gate", "run", "--config", str(config), "--feed")
        return self._keep(Child("gate", run, self._folder / "gate.log", pipe=True))

    def _watch(self, gate: Child) -> bool:
        """Show the gate's feed until its people have finished (True) or the gate has ended."""
        assert gate.process.stdout is not None  # noqa: S101  opened with pipe=True
        for line in gate.process.stdout:
            event = json.loads(line)
            self._screen.show(event)
            if event["what"] == "finished" and self._exit:
                # the pipe must not fill while the office catches up
                threading.Thread(target=gate.process.stdout.read, daemon=True).start()
                return True
        gate.process.wait()
        gate.check()
        return False

    def _settle(self, gate: Child) -> Tally:
        journal, office = self._folder / "gate" / "journal.sqlite", self._folder / "office" / "office.sqlite3"
        deadline = time.monotonic() + SETTLE_S
        before = None
        while True:
            gate.check()
            tally = take_tally(journal, office, GATE)
            # twice the same and whole: nothing more is being written
            if (tally.whole and tally == before) or time.monotonic() > deadline:
                return tally
            before = tally
            time.sleep(0.4)


def _is_free(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0
