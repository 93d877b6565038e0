"""The two beams with the real driver, on pins with people who walk through them."""

from collections.abc import Iterator
from contextlib import contextmanager

from gpiozero import InputDevice

from drivers.beam_pair import BeamPair
from drivers.crossings import Beam
from drivers.readings import Crossed, DeviceState
from drivers.settings import BeamPairSettings
from drivers.simulators.bench import Bench
from drivers.simulators.doorway import Doorway
from drivers.simulators.passage import Walker, walk
from drivers.threaded import Retry
from tests.drivers.listening import Listener

PAIR = BeamPairSettings(outer=13, inner=7)
BRIEFLY = BeamPairSettings(outer=13, inner=7, stuck_s=1.0)
BRISK = Retry(first_s=0.02, longest_s=0.05)


class Passage(Listener):
    """A passage under test."""

    def __init__(self, bench: Bench, settings: BeamPairSettings = PAIR) -> None:
        for wiring in settings.wirings:
            bench.set_active(wiring, active=False)
        self.bench = bench
        self.door = Doorway(bench, {"beam-pair": settings})
        super().__init__(BeamPair("pair", settings, bench.pins, retry=BRISK))

    @property
    def went(self) -> list[bool]:
        """Who went, True for inwards."""
        return [one.inward for one in self.heard if isinstance(one, Crossed)]


@contextmanager
def passage(settings: BeamPairSettings = PAIR) -> Iterator[Passage]:
    """One whose driver is well."""
    with Passage(Bench(), settings) as it:
        it.until_state(DeviceState.OK)
        yield it


def test_in_and_out_and_who_turns_back() -> None:
    with passage() as it:
        it.door.walk_through("entry")
        it.until(lambda: it.went == [True])
        it.door.walk_through("exit")
        it.until(lambda: it.went == [True, False])
        turns_back = Walker(0.3, ((0.0, -0.5), (0.5, 0.05), (1.0, 0.05), (1.5, -0.5)))
        it.door.people_walk([turns_back])
        it.door.walk_through("entry")
        it.until(lambda: len(it.went) == 3)
        assert it.went == [True, False, True]


def test_two_close_behind_one_another_are_two() -> None:
    with passage() as it:
        it.door.people_walk([walk(1.0, inward=True, starts_s=0.0), walk(1.0, inward=True, starts_s=0.4)])
        it.until(lambda: it.went == [True, True])


def test_contacts_that_chatter_are_one_person() -> None:
    with passage() as it:
        it.door.people_walk([walk(1.0, inward=True)], chatter=5)
        it.until(lambda: it.went == [True])


def test_a_beam_that_stays_broken_is_told_as_a_fault_and_is_well_again_when_it_is_free() -> None:
    with passage(BRIEFLY) as it:
        it.door.block(Beam.OUTER, broken=True)
        assert it.until_state(DeviceState.STALE).detail.startswith("the outer beam has been broken for 1 s")
        it.door.block(Beam.OUTER, broken=False)
        it.until_state(DeviceState.OK, count=2)
        it.door.walk_through("entry")
        it.until(lambda: it.went == [True])


def test_a_cut_wire_reads_as_broken_and_becomes_a_fault() -> None:
    with passage(BRIEFLY) as it:
        it.bench.pins.pin(7).connect(None)
        assert it.until_state(DeviceState.STALE).detail.startswith("the inner beam")
        assert it.went == []


def test_edges_that_gpiozero_lost_are_found_by_reading_the_pins() -> None:
    with passage(BRIEFLY) as it:
        it.bench.pins.pin(13)._when_changed = None
        it.door.block(Beam.OUTER, broken=True)
        it.until_state(DeviceState.STALE)


def test_edges_that_are_handed_over_late_and_all_at_once_count_by_their_own_times() -> None:
    """As with a thread of gpiozero's that was held up: the stamps are the kernel's."""
    with passage() as it:
        outer, inner = it.bench.pins.pin(13), it.bench.pins.pin(7)
        early_s = it.bench.pins.ticks() - 1.0
        for pin, level, after_s in (
            (outer, True, 0.0), (inner, True, 0.1), (outer, False, 0.3), (inner, False, 0.4),
        ):  # fmt: skip
            pin._when_changed()(early_s + after_s, level)
        it.until(lambda: it.went == [True])


def test_pins_that_are_taken_are_lost_until_they_are_free() -> None:
    bench = Bench()
    it = Passage(bench)
    taken = InputDevice(7, pull_up=True, pin_factory=bench.pins)
    with it:
        assert it.until_state(DeviceState.LOST).detail.startswith("pins 13 and 7: ")
        taken.close()
        it.until_state(DeviceState.OK)
    InputDevice(13, pull_up=True, pin_factory=bench.pins).close()
