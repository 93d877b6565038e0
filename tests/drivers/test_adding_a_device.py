"""docs/adding-a-device.md, run: what it adds is a device like the others."""

import re
import sys
from collections.abc import Iterator
from inspect import getdoc
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from drivers.catalogue import Bench
from drivers.protocols.frames import FrameReader
from drivers.readings import DeviceState, Temperature
from drivers.thermometer_settings import SimulatedThermometerSettings
from tests.drivers.listening import Listener
from tests.drivers.protocols import hostile, test_infrared
from tests.drivers.test_walk import play

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-device.md"


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    module = ModuleType("page_adding_a_device")
    sys.modules[module.__name__] = module
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), module.__dict__)  # noqa: S102  the page is ours
    yield module
    del sys.modules[module.__name__]


def test_its_transcript_is_read_and_written(page: Any) -> None:
    for frame, reading in page.CASE.frames:
        assert FrameReader(page.Ex9Link.frame).feed(bytes.fromhex(frame)) == [reading]
        assert page.encode(reading.object_c, reading.ambient_c) == bytes.fromhex(frame)


def test_its_conversation_is_one_that_the_walk_plays(page: Any) -> None:
    assert play(page.CONVERSATION) == page.CONVERSATION.readings


def test_a_hostile_line_makes_no_reading_of_it(page: Any) -> None:
    good = page.CASE.good
    for broken in hostile.flips(good):
        assert set(FrameReader(page.Ex9Link.frame).feed(broken + good * 2)) == {page.CASE.reading}


def test_its_row_passes_what_is_asked_of_every_row(page: Any) -> None:
    test_infrared.test_every_split_of_two_frames(page.CASE)
    test_infrared.test_what_was_sent_is_read_however_it_was_cut(case=page.CASE)
    test_infrared.test_what_the_sensor_cannot_measure_is_a_fault_that_is_named_and_no_reading(page.CASE)
    test_infrared.test_health_from_silence_to_a_reading_and_back(page.CASE)
    test_infrared.test_every_rate_is_tried_before_it_is_called_stale_and_it_is_asked_nothing(page.CASE)


def test_its_twin_is_a_device_like_the_others(page: Any) -> None:
    device = page.ROWS["simulated-ex-9"].build("forehead", SimulatedThermometerSettings(), Bench())
    with Listener(device) as listening:
        listening.until_state(DeviceState.OK)
        device.simulator.approach(36.6)
        listening.until(
            lambda: any(isinstance(one, Temperature) and abs(one.object_c - 36.6) < 0.5 for one in listening.heard)
        )
        device.simulator.unplug()
        listening.until_state(DeviceState.LOST)
        device.simulator.plug()
        listening.until_state(DeviceState.OK, count=2)


def test_its_real_model_claims_its_port_and_says_unit_and_source(page: Any) -> None:
    model = page.ROWS["ex-9"]
    assert model.claims(model.settings(port="/dev/ttyUSB0")) == ("port /dev/ttyUSB0",)
    text = getdoc(model.build) or ""
    assert "Unit: " in text
    assert "Source: " in text


def test_its_sign_knows_its_frames_and_its_wiring_is_whole(page: Any) -> None:
    model = page.ROWS["ex-9"]
    ear = model.sign().ear()
    ear.hear(b"noise" + page.CASE.good * 3)
    assert ear.good == 3
    assert model.wiring.joins
    assert model.wiring.example == {"port": page.BY_ID}


def test_the_files_that_the_page_names_are_there() -> None:
    root = PAGE.parents[1]
    named = set(re.findall(r"`((?:drivers|tests|docs|config)/[a-z0-9_./]+)`", PAGE.read_text("utf-8")))
    assert len(named) >= 8
    assert [name for name in sorted(named) if not (root / name).exists()] == ["drivers/protocols/ex9.py"]
