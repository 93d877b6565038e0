"""From readings to events."""

import pytest

from drivers.readings import (
    CardRead,
    CardUnread,
    CodeHint,
    CodeRead,
    Crossed,
    DeviceState,
    DeviceStatus,
    Hint,
    Level,
    Reading,
    Temperature,
)
from gateway.core import events
from gateway.core.moment import Moment
from gateway.core.policy import TemperaturePolicy
from gateway.intake import LEVELS, READERS, Intake
from gateway.nearby import SHOWN_MS, STAYS_MS
from gateway.sampling import TemperatureSampler
from sync.contract.records import Direction

NOW = Moment(mono_ms=60_000, at_ms=1_700_000_000_000)


class Scans:
    """Stands where the resolve workers do."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str, Direction]] = []

    def text(self, text: str, reader: str, direction: Direction, now: Moment) -> None:
        self.seen.append(("text", text, reader, direction))

    def card(self, uid: str, reader: str, direction: Direction, now: Moment) -> None:
        self.seen.append(("card", uid, reader, direction))


class Bench:
    def __init__(self) -> None:
        self.posted: list[events.Event] = []
        self.scans = Scans()
        policy = TemperaturePolicy(warm_up_s=0, samples=3)
        sampler = TemperatureSampler("forehead", policy)
        self.intake = Intake(self.posted.append, self.scans, sampler, lambda: NOW)  # type: ignore[arg-type]  # stands in


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize("use", LEVELS)
def test_every_input_says_something_on_its_active_edge(bench: Bench, use: str) -> None:
    bench.intake.of(use, use)(Level(True))
    assert len(bench.posted) == 1


def test_buttons_say_nothing_when_let_go(bench: Bench) -> None:
    for use in ("exit-button", "call", "acknowledge", "beam"):
        bench.intake.of(use, use)(Level(False))
    assert bench.posted == []


def test_two_beams_say_which_way(bench: Bench) -> None:
    post = bench.intake.of("pair", "beam-pair")
    post(Crossed(inward=True))
    post(Crossed(inward=False))
    post(Level(True))  # none of its readings
    post(DeviceStatus(DeviceState.STALE, "the outer beam has been broken for 60 s"))
    assert bench.posted == [
        events.Crossing(Direction.ENTRY),
        events.Crossing(Direction.EXIT),
        events.DeviceChanged("pair", "stale", "the outer beam has been broken for 60 s"),
    ]


def test_levels_that_hold_say_both(bench: Bench) -> None:
    bench.intake.of("door", "door-contact")(Level(True))
    bench.intake.of("door", "door-contact")(Level(False))
    assert bench.posted == [events.DoorContact(True), events.DoorContact(False)]


@pytest.mark.parametrize(("use", "direction"), READERS.items())
def test_readers_go_to_the_resolvers(bench: Bench, use: str, direction: Direction) -> None:
    post = bench.intake.of("r", use)
    post(CardRead("000414CD7E", "em4100"))
    post(CodeRead(b"abc", "abc", "QRCode", "zxing-cpp"))
    post(CodeRead(b"\xff\xfe", "", "QRCode", "zxing-cpp"))
    assert bench.scans.seen == [
        ("card", "000414CD7E", "r", direction),
        ("text", "abc", "r", direction),
        ("text", "fffe", "r", direction),
    ]
    assert bench.posted == []


@pytest.mark.parametrize("hint", Hint)
@pytest.mark.parametrize(("use", "direction"), READERS.items())
def test_what_is_wrong_with_a_code_is_told_the_core(bench: Bench, use: str, direction: Direction, hint: Hint) -> None:
    bench.intake.of("r", use)(CodeHint(hint))
    assert bench.posted == [events.CodeUnread(hint.value, "r", direction)]
    assert bench.scans.seen == []


def test_a_card_that_cannot_be_read_is_in_the_log_and_nobody_s(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.intake.of("cards", "entry-reader")(CardUnread("its number has a wrong check digit"))
    assert [record.getMessage() for record in caplog.records] == [
        "cards: a card that cannot be read: its number has a wrong check digit"
    ]
    assert (bench.posted, bench.scans.seen) == ([], [])


def test_a_stream_of_frames_is_one_measurement(bench: Bench) -> None:
    post = bench.intake.of("forehead", "thermometer")
    post(Temperature(22.0, 24.0))
    for _ in range(50):
        post(Temperature(36.5, 24.0))
    (measured,) = bench.posted
    assert isinstance(measured, events.TemperatureMeasured)
    assert measured.object_c == 36.5


def test_a_person_is_measured_by_the_module_s_own_body_value_where_there_is_one(bench: Bench) -> None:
    post = bench.intake.of("forehead", "thermometer")
    post(Temperature(22.0, 24.0))
    for _ in range(50):
        post(Temperature(34.1, 24.0, 36.5))
    (measured,) = bench.posted
    assert isinstance(measured, events.TemperatureMeasured)
    assert measured.object_c == 36.5


def test_a_frame_that_is_always_the_same_is_no_measurement(bench: Bench) -> None:
    post = bench.intake.of("forehead", "thermometer")
    for _ in range(50):
        post(Temperature(36.5, 24.0))
    assert bench.posted == []


@pytest.mark.parametrize("use", ["entry-reader", "entry-camera"])
@pytest.mark.parametrize(
    "shown", [CardRead("000414CD7E", "em4100"), CodeRead(b"a", "a", "QRCode", "z"), CodeHint(Hint.CLOSER)]
)
def test_who_shows_something_at_the_entry_is_near_for_a_while(bench: Bench, use: str, shown: Reading) -> None:
    assert not bench.intake.near(NOW.mono_ms)
    bench.intake.of("r", use)(shown)
    assert bench.intake.near(NOW.mono_ms + SHOWN_MS - 1)
    assert not bench.intake.near(NOW.mono_ms + SHOWN_MS)


def test_who_is_at_the_exit_s_reader_is_not_before_the_thermometer(bench: Bench) -> None:
    bench.intake.of("r", "exit-reader")(CardRead("000414CD7E", "em4100"))
    assert not bench.intake.near(NOW.mono_ms)


def test_who_stands_before_the_presence_sensor_is_near_until_they_go_or_it_is_lost(bench: Bench) -> None:
    post = bench.intake.of("presence", "presence")
    post(Level(True))
    assert bench.intake.near(NOW.mono_ms)
    post(Level(False))
    assert not bench.intake.near(NOW.mono_ms)
    post(Level(True))
    post(DeviceStatus(DeviceState.LOST, "gone"))
    assert not bench.intake.near(NOW.mono_ms)


def test_a_box_before_the_presence_sensor_is_not_somebody_for_ever(bench: Bench) -> None:
    bench.intake.of("presence", "presence")(Level(True))
    assert bench.intake.near(NOW.mono_ms + STAYS_MS - 1)
    assert not bench.intake.near(NOW.mono_ms + STAYS_MS)


def test_states_are_told_except_the_beginning(bench: Bench) -> None:
    post = bench.intake.of("forehead", "thermometer")
    post(DeviceStatus(DeviceState.STARTING))
    post(DeviceStatus(DeviceState.OK))
    post(DeviceStatus(DeviceState.LOST, "gone"))
    assert bench.posted == [
        events.DeviceChanged("forehead", "ok"),
        events.DeviceChanged("forehead", "lost", "gone"),
    ]


def test_a_loudspeaker_has_a_state_and_no_readings(bench: Bench) -> None:
    post = bench.intake.of("speaker", "speaker")
    post(DeviceStatus(DeviceState.LOST, "no sound card"))
    assert bench.posted == [events.DeviceChanged("speaker", "lost", "no sound card")]


def test_an_unknown_use_is_our_own_mistake(bench: Bench) -> None:
    with pytest.raises(KeyError):
        bench.intake.of("x", "teapot")
