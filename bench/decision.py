"""From the last step's event in the inbox to the relay's pin, the record on disk first.

    {"p50_ms": …, "p99_ms": …, "beyond_commit_p99_ms": …}

Real journal (WAL, synchronous=FULL) on this disk, real loop, executor and core; the relay is a gpiozero output on a mock
pin, whose history has the time of each change. A resident with a card, another one each time; the temperature comes last. Beside it
the camera's process draws and decodes frames with a QR in them, and the policy is in full: rules for lanes and hours, schedules,
capacity, anti-passback, presence check. `beyond_commit` takes
off each event's own time in the journal, from `append` to `done`, which is the disk's.
The limit it is held against is the budget: p99 beyond the commit under 25 ms. `make bench NAME=decision BENCH=150`: fewer visits.
"""

import json
import shutil
import statistics
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from gpiozero.pins.mock import MockFactory

from bench.common import Watch, progress, scratch, watched
from drivers.camera.device import SimulatedCamera
from drivers.camera.settings import SimulatedCameraSettings
from drivers.contacts import GpioOutput
from drivers.readings import CodeRead
from drivers.settings import OutputSettings
from gateway.clock import Clock, boot_id
from gateway.core import events
from gateway.core.checkpoint import Checkpoint
from gateway.core.effects import StateChange
from gateway.core.moment import Moment
from gateway.core.policy import (
    AntiPassback,
    Booked,
    CapacityPolicy,
    Mode,
    ModeSchedule,
    Policy,
    PortalPolicy,
    StepsRule,
    WatchPolicy,
)
from gateway.executor import Executor
from gateway.inbox import Inbox
from gateway.journal import Journal
from gateway.loop import Loop
from sync.contract.colours import PassType
from sync.contract.records import Body, Direction, Step, Visit

VISITS = 500  # or as many as the command line says
LONGEST_S = 60.0  # that nothing happens: then it ends, and says what it waits for
RELEASED_S = 5.0
RELAY_PIN = 17


class TimedJournal:
    """The journal, with the time that each visit's record spends in it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.commit_s = 0.0

    def append(
        self, body: Body, now: Moment, changes: Sequence[StateChange] = (), done: Callable[[Any], None] | None = None
    ) -> None:
        """As the journal's own."""
        began = time.monotonic()

        def timed(error: object) -> None:
            if isinstance(body, Visit):
                self.commit_s = time.monotonic() - began
            if done is not None:
                done(error)

        self._journal.append(body, now, changes, timed)


class Silent:
    """No voice and no uplink: neither is on the way to the door."""

    def say(self, phrase: str, values: Mapping[str, str], priority: object) -> None:
        """Say nothing."""

    def tone(self, tone: object, on: bool) -> None:
        """Sound nothing."""

    def alarm(self, *_: object) -> None:
        """Send nothing."""

    def state_changed(self) -> None:
        """Tell nobody."""


class Relay:
    """The relay on a mock pin, and the moment it was energised."""

    def __init__(self, output: GpioOutput) -> None:
        self.name = output.name
        self._output = output
        self.released = threading.Event()
        self.at = 0.0

    def set(self, active: bool) -> None:
        """Switch the pin, then take the time."""
        self._output.set(active)
        if active:
            self.at = time.monotonic()
            self.released.set()
        else:
            self.released.clear()

    def close(self) -> None:
        """To the safe level."""
        self._output.close()


def full_policy() -> Policy:
    """Everything that can be asked of the core on the way to a grant is asked."""
    rules = {
        f"rule-{number}": StepsRule(lanes=(f"lane-{number}",), begins="00:00", ends="24:00", steps=(Step.CREDENTIAL,))
        for number in range(16)
    }
    return replace(
        Policy(),
        portal=PortalPolicy(escape_route=False, exit_needs_credential=True, anti_passback=AntiPassback.HARD),
        capacity=CapacityPolicy(limit=10_000, booked=Booked.RESERVED),
        watch=WatchPolicy(begins="00:00", ends="24:00", every_min=1),
        rules=rules,
        schedules={"never": ModeSchedule(begins="00:00", ends="00:00", mode=Mode.CLOSED)},
    )


@contextmanager
def camera_at_work() -> Iterator[None]:
    """A camera's process that draws and decodes as fast as a camera gives frames."""
    camera = SimulatedCamera("camera", SimulatedCameraSettings())
    ready = threading.Event()
    camera.start(lambda reading: ready.set() if isinstance(reading, CodeRead) else None)
    camera.show("MP1:" + "0123456789ABCDEF" * 12)
    try:
        if not ready.wait(30):
            raise RuntimeError("the camera has read nothing within 30 s")
        yield
    finally:
        camera.stop()


def resident(number: int, now: Moment) -> list[events.Event]:
    """The events of a visit but the last."""
    verdict = events.Verdict(
        outcome=events.Outcome.VALID,
        reason="ok",
        kind="card",
        credential=f"{number:016x}",
        serves=frozenset({Step.CREDENTIAL, Step.REGISTRATION}),
        holder=f"h-{number}",
        pass_type=PassType.RESIDENT,
    )
    return [events.Presence(True), events.CredentialResolved(verdict, "reader", Direction.ENTRY, now.mono_ms)]


class Turns:
    """How many turns the deciding thread has made."""

    def __init__(self) -> None:
        self._made = 0
        self._turned = threading.Condition()

    def turned(self) -> None:
        """It has made one."""
        with self._turned:
            self._made += 1
            self._turned.notify_all()

    @contextmanager
    def follow(self, posted: int) -> Iterator[None]:
        """Wait until so many events that are posted meanwhile have had their turn. Raises RuntimeError."""
        with self._turned:
            until = self._made + posted
        yield
        with self._turned:
            if not self._turned.wait_for(lambda: self._made >= until, RELEASED_S):
                raise RuntimeError(
                    f"{until - self._made} of {posted} events waited for their turn for {RELEASED_S:g} s"
                )


@dataclass(frozen=True)
class Gate:
    """What takes part in a visit."""

    inbox: Inbox
    clock: Clock
    relay: Relay
    journal: TimedJournal
    turns: Turns
    core: Checkpoint

    def post(self, posted: Sequence[events.Event]) -> None:
        """Have these decided: a person's next step is never in the same instant, so nothing before it may still be waiting."""
        with self.turns.follow(len(posted)):
            for event in posted:
                self.inbox.post(event)


def one_visit(number: int, gate: Gate) -> tuple[float, float]:
    """(whole latency, the journal's part of it) in ms. Raises RuntimeError that says what is missing."""
    inbox, clock, relay, journal = gate.inbox, gate.clock, gate.relay, gate.journal
    gate.post(resident(number, clock.now()))
    time.sleep(0.01)
    measured = events.TemperatureMeasured(
        thermometer="t", object_c=36.5, ambient_c=24.0, samples=5, read_mono_ms=clock.mono_ms()
    )
    began = time.monotonic()
    inbox.post(measured)
    if not relay.released.wait(RELEASED_S):
        stands = gate.core.status()
        alarms = ", ".join(alarm.kind.value for alarm in stands.alarms) or "none"
        raise RuntimeError(
            f"visit {number}: the door was not released within {RELEASED_S:g} s: door {stands.door}, mode {stands.mode}, "
            f"{stands.inside} inside, open alarms: {alarms}"
        )
    took = relay.at - began
    gate.post((events.DoorContact(True), events.Crossing(None), events.DoorContact(False), events.Presence(False)))
    time.sleep(0.03)
    return took * 1000, journal.commit_s * 1000


def main(visits: int = VISITS) -> None:
    """Run the visits and print the figures."""
    with watched(LONGEST_S) as watch:
        figures = run(visits, watch)
    whole = [each[0] for each in figures]
    beyond = [each[0] - each[1] for each in figures]
    print(f"commit p50 {statistics.median(each[1] for each in figures):.2f} ms, n={visits}", file=sys.stderr)
    print(
        json.dumps(
            {
                "p50_ms": round(statistics.median(whole), 2),
                "p99_ms": round(statistics.quantiles(whole, n=100)[98], 2),
                "beyond_commit_p99_ms": round(statistics.quantiles(beyond, n=100)[98], 2),
            }
        )
    )


def run(visits: int, watch: Watch) -> list[tuple[float, float]]:
    """What each visit took: in all, and in the journal; ms."""
    folder = scratch("decision")
    clock, inbox, quiet = Clock(), Inbox(), Silent()
    policy = full_policy()
    with camera_at_work(), Journal.open(folder / "journal.sqlite", boot=boot_id(), now=clock.now()) as real:
        journal = TimedJournal(real)
        relay = Relay(GpioOutput("lock", OutputSettings(pin=RELAY_PIN), pin_factory=MockFactory()))
        executor = Executor(
            journal=journal,
            post=inbox.post,
            lock=relay,
            lamps={},
            sounder=None,
            alarm_lamp=None,
            voice=quiet,
            tells=quiet,
            sampler=None,
            watchers=[],
        )
        core, turns = Checkpoint(policy, ids=lambda: uuid.uuid4().hex), Turns()
        loop = Loop(core, inbox, executor, clock, turns.turned)
        loop.begin()
        gate = Gate(inbox, clock, relay, journal, turns, core)
        thread = threading.Thread(target=loop.run, daemon=True)  # a visit that fails ends the run
        thread.start()
        figures = []
        for number in progress(range(visits), "visits"):
            watch.waits_for(f"visit {number}")
            figures.append(one_visit(number, gate))
        watch.waits_for("the deciding thread's end")
        loop.stop()
        thread.join(5)
        watch.waits_for("the end of journal and camera")
    shutil.rmtree(folder)
    return figures


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
