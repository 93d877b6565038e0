"""The people of a scenario: they act on the simulated devices and see what a person would see.

A person knows nothing of the gate's insides: they watch the lamp, hear what is said, and push the door. The script
alone also hears that a visit was decided, so that one person's scene ends before the next begins.
"""

import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gateway.clock import Clock, ScriptedClock
from gateway.core.effects import Append, Effect
from gateway.core.moment import Moment
from gateway.simulation.scenario import SWITCHES, Cast, Scenario, Scene, parse_action
from sync.contract.records import Direction, Visit

logger = logging.getLogger("menshen.people")
PATIENCE_S = 25.0  # how long somebody waits for the door or the lamp before giving up
# Nobody is quicker than this, however fast the day is played: a door swings, a person steps into a beam and out of it.
STEP_S = 0.1
SCREENSHOT_AGO_S = 600  # the age of a picture that somebody has sent on
OF_PEOPLE = ("approach", "vehicle", "one-metre")  # what nobody triggers any more who has left
APART_S = 0.4  # between one person and the next, so that they are two to the presence sensor


class Thermometer(Protocol):
    """The simulated thermometer."""

    def approach(self, person_c: float) -> None:
        """A forehead comes near."""

    def leave(self) -> None:
        """It goes away."""

    def freeze(self, *, frozen: bool = True) -> None:
        """It hangs, and repeats what it said last; or it measures again."""


class CardReader(Protocol):
    """The simulated card reader."""

    def hold(self, uid: str) -> None:
        """A card is laid on it."""

    def remove(self) -> None:
        """The card is taken away."""


class CodeScanner(Protocol):
    """What a simulated camera or scanner sees."""

    def show(self, text: str) -> None:
        """A code is brought near and held."""

    def clear(self) -> None:
        """It is put away."""


class Doorway(Protocol):
    """The simulated door with its contact, beam and buttons."""

    def presence(self, present: bool) -> None:
        """Somebody stands before the door, or no longer."""

    def wait_released(self, timeout: float) -> bool:
        """Whether the lock was released in time."""

    def push(self) -> bool:
        """Push the door; True when it opened."""

    def walk_through(self, direction: str) -> None:
        """Cross the beam."""

    def close(self) -> None:
        """Let the door fall shut."""

    def force(self) -> None:
        """Break the door open."""

    def press_exit(self) -> None:
        """Press the exit button."""

    def acknowledge(self) -> None:
        """The guard presses his button."""

    def call(self) -> None:
        """Press the call button."""

    def switch(self, use: str, *, active: bool) -> None:
        """An input by its use; one that the gate does not have is passed over."""


class Wires(Protocol):
    """What can be damaged, by a device's use."""

    def cut(self, use: str) -> None:
        """Its wire is cut."""

    def stick(self, use: str) -> None:
        """It hangs, or has jammed."""

    def mend(self, use: str) -> None:
        """It is as new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The simulated devices that people act on. What a gate does not have is None, and nobody can use it."""

    door: Doorway
    thermometer: Thermometer | None
    card_reader: CardReader | None
    exit_reader: CardReader | None
    camera: CodeScanner | None
    exit_camera: CodeScanner | None = None
    wires: Wires | None = None


@dataclass(frozen=True, slots=True)
class SceneEnded:
    """What a scene came to: for the terminal and the tally."""

    scene: Scene
    outcome: str


class People(threading.Thread):
    """Plays `visits` scenes (0: goes round for ever) at `pace` (1: as people move; 0: as fast as they go)."""

    def __init__(
        self,
        scenario: Scenario,
        cast: Cast,
        stage: Stage,
        clock: Clock,
        *,
        pace: float,
        visits: int,
        ended: Callable[[SceneEnded], None],
        began: Callable[[Scene], None],
        finished: Callable[[], None],
    ) -> None:
        super().__init__(name="people", daemon=True)
        self._scenario = scenario
        self._cast = cast
        self._stage = stage
        self._clock = clock
        self._pace = pace
        self._visits = visits
        self._ended = ended
        self._began = began
        self._finished = finished
        self._leaving = threading.Event()
        self._heard = threading.Condition()
        self._outcomes: list[str] = []

    # what the script hears

    def watch(self, effect: Effect, _now: Moment) -> None:
        """A watcher for the executor: hears each visit decided."""
        if isinstance(effect, Append) and isinstance(effect.body, Visit):
            with self._heard:
                self._outcomes.append(effect.body.outcome)
                self._heard.notify_all()

    def _decided(self, timeout_s: float) -> bool:
        with self._heard:
            return self._heard.wait_for(lambda: bool(self._outcomes) or self._leaving.is_set(), timeout_s)

    # the day

    def run(self) -> None:
        """Play until enough visits were made, or `leave`."""
        made = 0
        for scene in itertools.cycle(self._scenario.scene):
            if self._leaving.is_set() or (self._visits and made >= self._visits):
                break
            made += bool(self._play(scene))
            self._hold(APART_S, 2.0)
        self._finished()

    def leave(self) -> None:
        """End the day."""
        self._leaving.set()
        with self._heard:
            self._heard.notify_all()

    def _play(self, scene: Scene) -> str:
        if isinstance(self._clock, ScriptedClock):
            self._clock.forward_to(scene.at)
        with self._heard:
            self._outcomes.clear()
        self._began(scene)
        for text in scene.do:
            if self._leaving.is_set():
                break
            action, argument = parse_action(text)
            if action in SWITCHES:
                self._switch(action, active=argument == "on")
            else:
                getattr(self, f"_do_{action.replace('-', '_')}")(argument)
        self._do_leave("")
        if scene.expects:
            self._decided(PATIENCE_S)
        with self._heard:
            outcome = self._outcomes[0] if self._outcomes else ""
        self._ended(SceneEnded(scene, outcome))
        return outcome

    # what people can do

    def _do_arrive(self, _: str) -> None:
        self._stage.door.presence(True)
        self._hold(STEP_S, 1.5)

    def _do_card(self, name: str) -> None:
        self._lay_on(self._stage.card_reader, name)

    def _do_card_out(self, name: str) -> None:
        self._lay_on(self._stage.exit_reader, name)

    def _lay_on(self, reader: CardReader | None, name: str) -> None:
        if reader is not None:
            reader.hold(self._cast.cards[name])
            self._hold(0.35, 0.8)
            reader.remove()

    def _do_show(self, name: str) -> None:
        self._hold_up(self._stage.camera, name)

    def _do_show_out(self, name: str) -> None:
        self._hold_up(self._stage.exit_camera, name)

    def _do_screenshot(self, name: str) -> None:
        self._hold_up(self._stage.camera, name, SCREENSHOT_AGO_S)

    def _hold_up(self, camera: CodeScanner | None, name: str, ago_s: int = 0) -> None:
        if camera is not None:
            camera.show(self._cast.shown(name, self._clock.now().at_ms // 1000 - ago_s))
            self._hold(0.45, 2.5)
            camera.clear()

    def _do_forehead(self, celsius: str) -> None:
        if self._stage.thermometer is not None:
            self._stage.thermometer.approach(float(celsius))
            self._hold(0.3, 1.5)

    def _do_freeze(self, _: str) -> None:
        self._freeze(frozen=True)

    def _do_thaw(self, _: str) -> None:
        self._freeze(frozen=False)

    def _freeze(self, *, frozen: bool) -> None:
        if self._stage.thermometer is not None:
            self._stage.thermometer.freeze(frozen=frozen)
            self._hold(STEP_S, 1.5)

    def _do_cut(self, use: str) -> None:
        self._damage("cut", use)

    def _do_stick(self, use: str) -> None:
        self._damage("stick", use)

    def _do_mend(self, use: str) -> None:
        self._damage("mend", use)

    def _damage(self, how: str, use: str) -> None:
        if self._stage.wires is not None:
            getattr(self._stage.wires, how)(use)
            self._hold(STEP_S, 1.5)

    def _do_enter(self, _: str) -> None:
        """Wait for the door; go in when it is released, else turn round once the visit was decided."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and not self._leaving.is_set():
            if self._stage.door.wait_released(0.05):
                return self._walk(Direction.ENTRY)
            if self._decided(0) and not self._stage.door.wait_released(0.5):
                break
        return None

    def _do_exit(self, _: str) -> None:
        self._stage.door.press_exit()
        self._do_go_out("")

    def _do_go_out(self, _: str) -> None:
        if self._stage.door.wait_released(PATIENCE_S):
            self._walk(Direction.EXIT)

    def _walk(self, direction: Direction) -> None:
        self._away_from_devices()
        self._hold(STEP_S, 0.6)
        if self._stage.door.push():
            self._hold(STEP_S, 0.8)
            self._stage.door.walk_through(direction.value)
            self._hold(STEP_S, 0.8)
            self._stage.door.close()

    def _do_force(self, _: str) -> None:
        self._stage.door.force()
        self._hold(1.5, 6.0)

    def _do_call(self, _: str) -> None:
        self._stage.door.call()

    def _switch(self, use: str, *, active: bool) -> None:
        self._stage.door.switch(use, active=active)
        self._hold(STEP_S, 1.5)

    def _do_acknowledge(self, _: str) -> None:
        self._hold(STEP_S, 2.0)
        self._stage.door.acknowledge()

    def _do_leave(self, _: str) -> None:
        self._away_from_devices()
        self._stage.door.close()
        self._stage.door.presence(False)
        for use in OF_PEOPLE:
            self._stage.door.switch(use, active=False)

    def _away_from_devices(self) -> None:
        if self._stage.thermometer is not None:
            self._stage.thermometer.leave()

    def _hold(self, least_s: float, calm_s: float) -> None:
        """People hold a thing for at least as long as its device needs, and calm people longer."""
        self._leaving.wait(max(least_s, calm_s * self._pace))
