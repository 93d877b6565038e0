"""A sensor that repeats one good frame for ever is found out, and a quiet wall is not taken for one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from drivers.catalogue import MODELS, Bench
from drivers.protocols.cjmcu_90614 import Cjmcu90614Link
from drivers.protocols.gd60914 import Gd60914Link
from drivers.protocols.gy_614v import Gy614vLink
from drivers.protocols.gy_mcu90615 import GyMcu90614Link, GyMcu90615Link
from drivers.protocols.gy_mcu90640 import GyMcu90640Link
from drivers.protocols.mlx90614 import ADDRESS, Mlx90614Link
from drivers.protocols.modbus import PYRO_USB, SIMULATED, ModbusLink, Register, Registers, Table
from drivers.protocols.quantity import Quantity
from drivers.protocols.stillness import FINE, HOUR_MS, PICTURE, TENTHS, TENTHS_ALONE, Still, Stillness
from drivers.readings import DeviceState, Temperature
from drivers.simulators.i2c import Mlx90614Model
from drivers.simulators.standalone import Setup
from drivers.simulators.thermometer import ThermometerModel
from drivers.simulators.thermometer_models import Cjmcu90614Model, Gy614vModel, Gy90640Model
from drivers.simulators.thermometer_polled import Gd60914Model, ModbusModel
from tests.drivers.test_catalogue import settings

ALONE = Registers(Table.HOLDING, Register(0, Quantity(-40, 300, steps=10.0)), room_c=24.0)


class Together:
    """A model's link and its simulator, without a line between them, in simulated time: ms from 0 on."""

    def __init__(self, link: Any, model: Any) -> None:
        self.link, self.model = link, model
        self.now_ms = 0
        self.near: Callable[[int], bool] = lambda _now_ms: False

    def readings(self, until_ms: int) -> Iterator[Temperature]:
        """What is posted until then."""
        while self.now_ms < until_ms:
            readings = self._turn()
            yield from readings

    def run(self, seconds: float) -> list[Temperature]:
        """What is posted in so many seconds."""
        return list(self.readings(self.now_ms + round(seconds * 1000)))

    @property
    def health(self) -> tuple[DeviceState, str]:
        state, why = self.link.health(self.now_ms)
        return state, why

    def _turn(self) -> list[Temperature]:
        raise NotImplementedError


class OnLine(Together):
    """One that streams or is asked."""

    def __init__(self, link: Callable[[int], Any], model: Any) -> None:
        model.power_on(0)
        super().__init__(link(0), model)
        model.hear(self.link.greeting, 0)

    def _turn(self) -> list[Temperature]:
        asked = self.link.ask(self.now_ms)
        if asked:
            self.model.hear(asked, self.now_ms)
        due_ms = self.model.due_ms()
        self.now_ms = max(self.now_ms + 10, self.now_ms + 100 if due_ms is None else due_ms)
        self.link.somebody(near=self.near(self.now_ms))
        readings: list[Temperature] = self.link.feed(self.model.say(self.now_ms), self.now_ms)
        return readings


class OnBus(Together):
    """One on I²C."""

    def __init__(self) -> None:
        model = Mlx90614Model(Setup())
        model.power_on(-1_000)
        super().__init__(Mlx90614Link(0), model)

    def _turn(self) -> list[Temperature]:
        self.now_ms += 100
        answers = [self.model.transfer(ADDRESS, sent, length, self.now_ms) for sent, length in self.link.reads]
        self.link.somebody(near=self.near(self.now_ms))
        readings: list[Temperature] = self.link.take(answers, self.now_ms)
        return readings


@dataclass(frozen=True)
class Case:
    """`still`: what the model declares; `rate`: readings a second of its simulator; `hours`: of a short watch and of a night,
    as far as its frames can be made in time."""

    make: Callable[[], Together]
    still: Still
    rate: float = 10
    hours: tuple[float, float] = (0.25, 10)


CASES = {
    "gy-mcu90615": Case(lambda: OnLine(GyMcu90615Link, ThermometerModel(Setup())), FINE),
    "gy-mcu90614": Case(lambda: OnLine(GyMcu90614Link, ThermometerModel(Setup())), FINE),
    "cjmcu-90614": Case(lambda: OnLine(Cjmcu90614Link, Cjmcu90614Model(Setup())), FINE),
    "gy-614v": Case(lambda: OnLine(Gy614vLink, Gy614vModel(Setup())), FINE),
    "gd60914": Case(lambda: OnLine(Gd60914Link, Gd60914Model(Setup())), TENTHS_ALONE),
    "mlx90614": Case(OnBus, FINE),
    "gy-mcu90640": Case(lambda: OnLine(GyMcu90640Link, Gy90640Model(Setup())), PICTURE, 4, (0.05, 1)),
    "calex-pyrousb": Case(
        lambda: OnLine(lambda now_ms: ModbusLink(now_ms, PYRO_USB), ModbusModel(Setup(), PYRO_USB)), TENTHS
    ),
    "modbus-thermometer": Case(
        lambda: OnLine(lambda now_ms: ModbusLink(now_ms, SIMULATED), ModbusModel(Setup(), SIMULATED)), TENTHS
    ),
    "modbus-without-ambient": Case(
        lambda: OnLine(lambda now_ms: ModbusLink(now_ms, ALONE), ModbusModel(Setup(), ALONE)), TENTHS_ALONE
    ),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    made: Case = request.param
    return made


def somebody(_now_ms: int) -> bool:
    return True


def passers_by(now_ms: int) -> bool:
    """Somebody goes past every five minutes, and triggers the presence sensor for 10 s."""
    return now_ms % 300_000 < 10_000


# what a run of equal readings says


def taken(still: Still, times: int, *, near: bool = False, warm: bool = False, every_ms: int = 100) -> Stillness:
    stillness = Stillness(still)
    for number in range(times):
        stillness.take("the same", number * every_ms, near=near, warm=warm)
    return stillness


@pytest.mark.parametrize(("warm", "limit"), [(False, TENTHS.near), (True, TENTHS.warm)])
def test_with_somebody_there_so_many_of_the_same_are_too_many(warm: bool, limit: int) -> None:
    assert taken(TENTHS, limit, near=True, warm=warm).why == ""  # the first repeats nothing
    assert taken(TENTHS, limit + 1, near=True, warm=warm).why.startswith(
        f"frozen: the very same reading came {limit} times"
    )


def test_with_nobody_there_only_hours_are() -> None:
    assert taken(TENTHS, 12 * 60, every_ms=60_000).why == ""
    assert "for 12 h" in taken(TENTHS, 12 * 60 + 1, every_ms=60_000).why


def test_those_who_come_are_added_up_as_long_as_nothing_changes() -> None:
    stillness = taken(FINE, FINE.near - 1, near=True)
    for number in range(1_000):
        stillness.take("the same", 10_000 + number * 100, near=False, warm=False)
    assert stillness.why == ""
    for number in range(2):
        stillness.take("the same", 200_000 + number * 100, near=True, warm=False)
    assert stillness.why


def test_one_other_reading_ends_all_suspicion() -> None:
    stillness = taken(FINE, FINE.near + 1, near=True)
    assert stillness.why
    stillness.take("another", 90_000, near=True, warm=False)
    assert stillness.why == ""
    for number in range(FINE.near - 1):
        stillness.take("another", 90_100 + number * 100, near=True, warm=False)
    assert stillness.why == ""


# every model


@pytest.mark.parametrize("skin", [False, True], ids=["wall", "skin"])
def test_one_that_hangs_is_stale_while_somebody_is_there_and_well_once_it_measures_again(
    case: Case, skin: bool
) -> None:
    it = case.make()
    if skin:
        it.model.physics.approach(36.6, 3.0, 0)
    assert it.run(5)
    assert it.health == (DeviceState.OK, "")
    it.model.physics.frozen = True
    limit = case.still.warm if skin else case.still.near
    it.run(60)
    assert it.health[0] is DeviceState.OK  # a quiet wall, for all that is known
    it.near = somebody
    within_s = 1.9 * limit / case.rate + 2
    it.run(within_s)
    state, why = it.health
    assert (state, why[:7]) == (DeviceState.STALE, "frozen:"), within_s
    assert it.run(30) == []  # none of it is a reading
    it.model.physics.frozen = False
    assert it.run(2)
    assert it.health == (DeviceState.OK, "")


def test_one_that_hangs_and_is_met_by_nobody_is_stale_after_hours(case: Case) -> None:
    it = case.make()
    it.run(2)
    it.model.physics.frozen = True
    it.run(1)
    before, at_ms = it.health, it.now_ms
    # its frames, an hour apart and less: nothing but the time counts
    for hours in range(case.still.alone_ms // HOUR_MS + 1):
        it.now_ms = at_ms + hours * HOUR_MS
        it.run(1)
        assert it.health[0] is (DeviceState.STALE if hours * HOUR_MS >= case.still.alone_ms else DeviceState.OK)
    assert before == (DeviceState.OK, "")


def quiet(it: Together, hours: float) -> int:
    """How many readings a wall gives in so long a night, of which none makes it stale."""
    it.near = passers_by
    number = 0
    for _ in it.readings(round(hours * HOUR_MS)):
        number += 1
        if it.link.health(it.now_ms)[1]:
            pytest.fail(f"stale after {it.now_ms / 1000} s: {it.health}")
    assert it.health == (DeviceState.OK, "")
    return number


def test_a_quiet_wall_is_not_taken_for_one_that_hangs(case: Case) -> None:
    assert quiet(case.make(), case.hours[0]) > 1_200 * case.hours[0] * case.rate


def test_a_quiet_wall_for_a_night(case: Case) -> None:
    assert quiet(case.make(), case.hours[1]) > 1_200 * case.hours[1] * case.rate


@pytest.mark.parametrize("model", ["gd60914", "calex-pyrousb", "modbus-thermometer", "modbus-without-ambient"])
def test_a_wall_that_is_perfectly_still_for_a_night_is_within_a_tenth(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No noise at all: what a filter in the module may make of a wall."""
    it = CASES[model].make()
    monkeypatch.setattr(it.model.physics, "noise", lambda _deviation_c: 0.0)
    it.run(2)
    for minutes in range(10 * 60):
        it.now_ms = minutes * 60_000
        it.run(0.5)
        assert it.health[0] is DeviceState.OK


def test_what_the_list_of_hardware_says_is_what_the_driver_goes_by() -> None:
    for name, each in CASES.items():
        if name in MODELS:
            assert MODELS[name].still == each.still, name
    for name, model in MODELS.items():
        if model.still is not None:
            device = model.build("t", settings(name), Bench())
            link = device._new_link(0)
            its_own = (
                TENTHS_ALONE if name == "modbus-thermometer" else model.still
            )  # its least settings have no ambient
            assert link._belief._stillness._still == its_own, name


def test_one_whose_sensor_hangs_or_is_at_fault_is_not_looked_for_at_another_rate() -> None:
    it = CASES["gy-mcu90615"].make()
    it.run(1)
    it.model.physics.frozen = True
    it.near = somebody
    it.run(20)
    assert it.health[0] is DeviceState.STALE
    assert it.link.is_answered()
    it.now_ms += 1_500
    assert "no reading" in it.health[1]
    assert not it.link.is_answered()
