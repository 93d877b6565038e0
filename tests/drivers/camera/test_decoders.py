"""The cascade: which stage runs when, and what each makes of what it is given."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from drivers.camera.decoders import STAGES, Cascade, Decode, Sight, Stage
from drivers.camera.frames import Gray
from tests.drivers.camera.pictures import drawn

BLANK: Gray = np.full((40, 40), 128, np.uint8)


def cascade(stages: Sequence[Stage] = STAGES) -> Cascade:
    """One that goes on with whatever is installed."""
    notices: list[str] = []
    return Cascade(notices.append, stages)


class Table:
    """Stages that count how often they were asked."""

    def __init__(self, **sights: Sight) -> None:
        self.asked = dict.fromkeys(sights, 0)
        self.notices: list[str] = []
        self._sights = sights

    def stage(self, name: str, every: int) -> Stage:
        """A row that always gives the sight it was made with."""

        def decode(gray: Gray) -> Sight:
            self.asked[name] += 1
            return self._sights[name]

        return Stage(name, lambda: decode, every)


def test_the_first_that_reads_something_is_the_last() -> None:
    table = Table(first=Sight((b"a",)), second=Sight((b"b",)))
    decoders = Cascade(table.notices.append, [table.stage("first", 1), table.stage("second", 1)])
    assert decoders.read(BLANK, thorough=False) == {b"a": "first"}
    assert table.asked == {"first": 1, "second": 0}


def test_a_photograph_gets_every_stage_and_every_code_once() -> None:
    table = Table(first=Sight((b"a",)), second=Sight((b"a", b"b")))
    decoders = Cascade(table.notices.append, [table.stage("first", 1), table.stage("second", 10)])
    assert decoders.read(BLANK, thorough=True) == {b"a": "first", b"b": "second"}


def test_an_idle_scene_costs_the_later_stages_now_and_then_only() -> None:
    table = Table(first=Sight(()), second=Sight(()))
    decoders = Cascade(table.notices.append, [table.stage("first", 1), table.stage("second", 5)])
    for _ in range(20):
        assert decoders.read(BLANK, thorough=False) == {}
    assert table.asked == {"first": 20, "second": 4}


def test_a_code_that_was_found_and_not_read_gets_every_stage() -> None:
    table = Table(first=Sight((), unread=True), second=Sight((b"b",)))
    decoders = Cascade(table.notices.append, [table.stage("first", 1), table.stage("second", 100)])
    assert decoders.read(BLANK, thorough=False) == {b"b": "second"}


def test_a_decoder_that_is_not_installed_is_told_once() -> None:
    def missing() -> Decode:
        raise ImportError("no such library")

    table = Table(last=Sight((b"a",)))
    decoders = Cascade(table.notices.append, [Stage("gone", missing, 1), table.stage("last", 1)])
    for _ in range(3):
        assert decoders.read(BLANK, thorough=False) == {b"a": "last"}
    assert table.notices == ["the decoder gone is not installed, going on without it: no such library"]


@pytest.mark.parametrize("content", [b"", b"x" * 4297, b"\xff" * 3073])
def test_content_of_an_impossible_size_is_not_taken(content: bytes) -> None:
    table = Table(first=Sight((content,)))
    assert Cascade(table.notices.append, [table.stage("first", 1)]).read(BLANK, thorough=True) == {}


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_stage_reads_a_plain_code_and_nothing_where_there_is_none(stage: Stage) -> None:
    if stage.name == "pyzbar":
        pytest.importorskip("pyzbar.pyzbar", reason="the zbar library is not installed", exc_type=ImportError)
    decoders = Cascade(pytest.fail, [stage])
    assert decoders.read(drawn("PLAIN"), thorough=True) == {b"PLAIN": stage.name}
    assert decoders.read(BLANK, thorough=True) == {}
    assert decoders.read(np.zeros((0, 0), np.uint8), thorough=True) == {}


def test_chinese_comes_as_it_was_encoded_whoever_reads_it() -> None:
    text = "门神出入证"
    assert cascade().read(drawn(text), thorough=True) == {text.encode(): "zxing-cpp"}


def test_uneven_light_and_small_codes_are_what_the_later_stages_are_for() -> None:
    code = drawn("HTTPS://EXAMPLE.ORG/PASS/0123456789", module_px=8).astype(np.float32)
    glare = np.linspace(0, 1, code.shape[1], dtype=np.float32)[None, :]
    glaring = code * (1 - glare) + 240 * glare
    small = cv2.resize(glaring, None, fx=0.18, fy=0.18, interpolation=cv2.INTER_AREA)
    picture = small.astype(np.uint8)
    assert cascade(STAGES[:1]).read(picture, thorough=True) == {}
    assert list(cascade().read(picture, thorough=True)) == [b"HTTPS://EXAMPLE.ORG/PASS/0123456789"]


@settings(max_examples=40, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_no_picture_makes_a_decoder_raise(picture: Gray) -> None:
    assert all(isinstance(code, bytes) for code in cascade().read(picture, thorough=True))
