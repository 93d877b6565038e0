"""From the last step's event in the inbox to the relay's pin, the record on disk first.

    {"p50_ms": …, "p99_ms": …, "beyond_commit_p99_ms": …}

Real journal (WAL, synchronous=FULL) on this disk, real loop, executor and core; the relay is a gpiozero output on a mock
pin, whose history has the time of each change. A resident with a card, another one each time; the temperature comes last. Beside it
the camera's process draws and decodes frames with a QR in them, and the policy is in full: rules for lanes and hours, schedules,
capacity, anti-passback, presence check. `beyond_commit` takes
off each event's own time in the journal, from `append` to `done`, which is the disk's.
The limit it is held against is the budget: p99 beyond the commit under 25 ms.
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
from dataclasses import replace
from typing import Any

from gpiozero.pins.mock import MockFactory

from bench.common import progress, scratch
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

VISITS = 500
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


def one_visit(number: int, inbox: Inbox, clock: Clock, relay: Relay, journal: TimedJournal) -> tuple[float, float]:
    """(whole latency, the journal's part of it) in ms."""
    for event in resident(number, clock.now()):
        inbox.post(event)
    time.sleep(0.01)  # a person's next step is never in the same instant; nothing before it may still be waiting
    measured = events.TemperatureMeasured(
        thermometer="t", object_c=36.5, ambient_c=24.0, samples=5, read_mono_ms=clock.mono_ms()
    )
    began = time.monotonic()
    inbox.post(measured)
    if not relay.released.wait(5):
        raise RuntimeError("the door was not released within 5 s")
    took = relay.at - began
    for event in (
        events.DoorContact(True),
        events.Crossing(None),
        events.DoorContact(False),
        events.Presence(False),
    ):
        inbox.post(event)
    time.sleep(0.03)
    return took * 1000, journal.commit_s * 1000


def main() -> None:
    """Run the visits and print the figures."""
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
        loop = Loop(Checkpoint(policy, ids=lambda: uuid.uuid4().hex), inbox, executor, clock, lambda: None)
        loop.begin()
        thread = threading.Thread(target=loop.run, daemon=True)  # a visit that fails ends the run
        thread.start()
        figures = [one_visit(number, inbox, clock, relay, journal) for number in progress(range(VISITS), "visits")]
        loop.stop()
        thread.join(5)
    shutil.rmtree(folder)
    whole = [each[0] for each in figures]
    beyond = [each[0] - each[1] for each in figures]
    print(f"commit p50 {statistics.median(each[1] for each in figures):.2f} ms, n={VISITS}", file=sys.stderr)
    print(
        json.dumps(
            {
                "p50_ms": round(statistics.median(whole), 2),
                "p99_ms": round(statistics.quantiles(whole, n=100)[98], 2),
                "beyond_commit_p99_ms": round(statistics.quantiles(beyond, n=100)[98], 2),
            }
        )
    )


if __name__ == "__main__":
    main()
