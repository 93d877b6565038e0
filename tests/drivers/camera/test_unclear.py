"""From a picture in which a person sees a code and no decoder does, to the hint."""

from collections.abc import Iterable
from itertools import count
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from drivers.camera import unclear
from drivers.camera.cascade import Cascade
from drivers.camera.decoders import Unread
from drivers.camera.frames import Box, Gray
from drivers.camera.glances import FIRST_S, GONE_MS, LOAN_S, READ_MS, VAIN_MS, Glances
from drivers.camera.hints import Hints
from drivers.camera.sources import read_photograph
from drivers.readings import Hint
from drivers.simulators.scene import qr_modules
from tests.drivers.camera import scenes
from tests.drivers.camera.pictures import PHOTOGRAPHS, without_codes

WIDTH, HEIGHT = 960, 640
CERTIFICATE, PASS = 500, 80  # bytes: version 15 or so, as of an EU certificate; 5, as of a pass


class Held(NamedTuple):
    """How a code is held up: its modules' side and its blur's sigma in pixels, a smear across of so many, the shake of the hand."""

    content: int
    module_px: float
    blur: float = 0.0
    smear_px: int = 0
    shake_px: int = 0
    turn: float = 0.0


def code(held: Held) -> Gray:
    """The code alone, of fresh content."""
    content = np.random.default_rng(held.content).integers(65, 91, held.content, np.uint8).tobytes()
    modules = qr_modules(content)
    side = round(modules.shape[0] * held.module_px)
    fine = np.kron(modules, np.ones((8, 8), np.uint8))
    return np.asarray(cv2.resize(fine, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def picture(held: Held, number: int) -> Gray:
    """What the camera sees at this moment."""
    drawn, scene = code(held), scenes.wall(WIDTH, HEIGHT)
    side = drawn.shape[0]
    middle = np.array((WIDTH / 2, HEIGHT / 2)) + held.shake_px * np.array(
        (np.sin(1.1 * number), 0.4 * np.cos(1.3 * number))
    )
    plane = cv2.getRotationMatrix2D((side / 2, side / 2), held.turn, 1)
    plane[:, 2] += middle - side / 2
    shown = cv2.warpAffine(drawn.astype(np.float32), plane, (WIDTH, HEIGHT), borderValue=-1)
    seen = np.where(shown >= 0, shown, scene).astype(np.float32)
    if held.blur:
        seen = cv2.GaussianBlur(seen, (0, 0), held.blur)
    if held.smear_px:
        seen = cv2.blur(seen, (held.smear_px, 1))
    return scenes.noisy(seen, number)


def watched(pictures: Iterable[Gray], *, seconds: float = 3.0) -> set[Hint]:
    """What is said within this time, by ten pictures a second, if computing cost nothing. The dear stages are left out, which can read
    none of these."""
    now: list[float] = [0.0]
    cascade = Cascade(pytest.fail, [], clock=lambda: now[0], cost=lambda: 0.0)
    hints, said = Hints(), set()
    for _, gray in zip(range(int(10 * seconds)), pictures, strict=False):
        now[0] += 0.1
        look = cascade.read(gray)
        assert not look.codes
        hint = hints.after(gray, look.unread or look.unclear, read=False, now_ms=int(1000 * now[0]))
        said |= {hint} if hint is not None else set()
    return said


UNREADABLE = [
    (Held(CERTIFICATE, 1.3, blur=0.9), Hint.CLOSER),
    (Held(CERTIFICATE, 2, blur=1.6), Hint.CLOSER),
    (Held(PASS, 1.8, blur=1.4, turn=20), Hint.CLOSER),
    (Held(CERTIFICATE, 3.2, blur=2.6), Hint.HOLD_STILL),
    (Held(CERTIFICATE, 4, blur=3.5, turn=35), Hint.HOLD_STILL),
    (Held(PASS, 8, blur=6), Hint.HOLD_STILL),
    (Held(CERTIFICATE, 4, smear_px=11, shake_px=80), Hint.HOLD_STILL),
    (Held(PASS, 7, smear_px=19, shake_px=100), Hint.HOLD_STILL),
]


@pytest.mark.parametrize(("held", "hint"), UNREADABLE)
def test_what_a_person_sees_to_be_a_code_gets_the_right_hint(held: Held, hint: Hint) -> None:
    assert watched(picture(held, number) for number in count()) == {hint}


@pytest.mark.parametrize("turn", [0, 15, 45, 70])
@pytest.mark.parametrize(("module_px", "blur"), [(1.5, 1.1), (2, 1.2), (3, 1.5), (4, 3), (6, 4)])
def test_its_modules_are_measured(module_px: float, blur: float, turn: float) -> None:
    gray = picture(Held(CERTIFICATE if module_px < 5 else PASS, module_px, blur, turn=turn), 0)
    (patch,) = unclear.patches(gray)
    found = unclear.find(gray, patch)
    assert found is not None
    assert found.module_px == pytest.approx(module_px, rel=0.2)
    assert found.box.grown(0.1).holds(Box(WIDTH // 2, HEIGHT // 2, WIDTH // 2 + 1, HEIGHT // 2 + 1))
    again = unclear.find_again(gray, found)
    assert again is not None
    assert again.module_px == pytest.approx(module_px, rel=0.2)


@pytest.mark.parametrize("name", scenes.WITHOUT_A_CODE)
@pytest.mark.parametrize("blur", [0, 2, 4])
def test_a_scene_without_a_code_gets_none(name: str, blur: float) -> None:
    drawn = scenes.WITHOUT_A_CODE[name](WIDTH, HEIGHT).astype(np.float32)
    soft = cv2.GaussianBlur(drawn, (0, 0), blur) if blur else drawn
    for number in range(3):
        moved = np.roll(soft, (5 * number, 3 * number), (0, 1))
        gray = scenes.noisy(np.asarray(moved, np.float32), number)
        assert [unclear.find(gray, patch) for patch in unclear.patches(gray)] == [None] * len(unclear.patches(gray))


@pytest.mark.parametrize("name", scenes.WITHOUT_A_CODE)
def test_nothing_is_said_of_a_scene_without_a_code(name: str) -> None:
    drawn = scenes.WITHOUT_A_CODE[name](WIDTH, HEIGHT).astype(np.float32)
    assert watched((scenes.noisy(drawn, number) for number in count()), seconds=2) == set()


def test_nor_a_photograph_without_one() -> None:
    found = []
    for file in without_codes():
        sharp = read_photograph(PHOTOGRAPHS / file)
        for gray in (sharp, np.asarray(cv2.GaussianBlur(sharp, (0, 0), 3), np.uint8)):
            found += [
                (file, code) for patch in unclear.patches(gray) if (code := unclear.find(gray, patch)) is not None
            ]
    assert found == []


@pytest.mark.parametrize("shape", [(1, 1), (64, 64), (65, 2000), (2000, 9), (48, 48)])
def test_no_picture_is_too_small_or_too_narrow(shape: tuple[int, int]) -> None:
    gray = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    for patch in [*unclear.patches(gray), Box(0, 0, shape[1], shape[0])]:
        assert unclear.find(gray, patch) is None
        assert unclear.find_again(gray, Unread(patch, 1.0)) is None


# when: the purse, which is pure

PATCH, CODE = Box(0, 0, 200, 200), Unread(Box(20, 20, 180, 180), 2.0)


def drained() -> Glances:
    """One that has just spent everything."""
    glances = Glances()
    glances.spend(1)
    return glances


def test_an_idle_camera_pays_a_hundredth_for_it() -> None:
    glances, spent = Glances(), 0.0
    for now_ms in range(0, 3_600_000, 100):
        glances.earn(0.001, rested=False)
        if glances.due(now_ms):
            spent += 0.010
            glances.spend(0.010)
    assert 0 < spent <= 0.01 * 0.001 * 36_000 + FIRST_S + 0.010


def test_something_new_gets_a_loan_and_the_same_in_its_place_none_until_it_was_gone() -> None:
    glances = drained()
    glances.found(CODE, 0)
    assert glances.may_spend
    glances.spend(LOAN_S)
    glances.found(CODE, 60_000)
    assert not glances.may_spend, "nobody looked meanwhile, so that it was not seen to go"
    glances.nothing(60_000 + GONE_MS)
    glances.found(CODE, 61_500)
    assert glances.may_spend


def test_what_was_searched_in_vain_is_left_alone_while_it_stays_and_others_are_not() -> None:
    glances = Glances()
    assert glances.worth([PATCH], 0) == [PATCH]
    glances.in_vain(PATCH, 0)
    other = PATCH.moved(300, 0)
    for now_ms in range(100, VAIN_MS, 1000):
        assert glances.worth([PATCH.moved(4, 2), other], now_ms) == [other]
    assert glances.worth([PATCH], VAIN_MS + 100) == [PATCH]


def test_where_a_code_was_a_moment_ago_is_searched_again() -> None:
    glances = Glances()
    glances.found(CODE, 0)
    glances.in_vain(PATCH, 200)
    assert glances.worth([PATCH], 400) == [PATCH]
    assert glances.lately(400) == CODE


def test_it_waits_longer_while_it_searches_in_vain_and_after_a_code_was_read() -> None:
    def looks(glances: Glances) -> int:
        return sum(glances.due(now_ms) for now_ms in range(0, 10_000, 100))

    fresh, tired, reading = Glances(), Glances(), Glances()
    for number in range(40):
        tired.in_vain(PATCH.moved(300 * number, 0), 0)
    reading.was_read(0)
    assert looks(tired) * 3 < looks(fresh)
    assert not any(reading.due(now_ms) for now_ms in range(0, READ_MS, 100))
    assert reading.due(READ_MS)
