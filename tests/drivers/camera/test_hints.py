"""What people are told who hold a code up, and the exposure for their screens."""

import cv2
import numpy as np

from drivers.camera.decoders import Unread
from drivers.camera.exposure import DARKEST, Exposure
from drivers.camera.frames import Box, Gray
from drivers.camera.hints import AGAIN_MS, PATIENCE_MS, Hints
from drivers.readings import Hint
from tests.drivers.camera.pictures import drawn

BOX = Box(0, 0, 200, 200)
SHARP = drawn("A CODE", module_px=8)


def hints(gray: Gray, code: Unread, *, step_px: int = 0, until_ms: int = PATIENCE_MS + 200) -> list[Hint]:
    """What is said while it is held up and not read."""
    watching, said = Hints(), []
    for number, now_ms in enumerate(range(0, until_ms, 100)):
        moved = Unread(code.box.moved(step_px * (number % 2), 0), code.module_px)
        hint = watching.after(gray, [moved], read=False, now_ms=now_ms)
        if hint is not None:
            said.append(hint)
    return said


def test_a_code_of_modules_too_small_is_to_come_closer() -> None:
    assert hints(SHARP, Unread(BOX, 1.8)) == [Hint.CLOSER]


def test_one_that_moves_or_is_unsharp_is_to_be_held_still() -> None:
    assert hints(SHARP, Unread(BOX, 6.0), step_px=90) == [Hint.HOLD_STILL]
    unsharp = np.asarray(cv2.GaussianBlur(SHARP, (0, 0), 6), np.uint8)
    assert hints(unsharp, Unread(BOX, 6.0)) == [Hint.HOLD_STILL]


def test_nothing_is_said_when_nothing_of_that_is_wrong_or_soon_or_too_often() -> None:
    assert hints(SHARP, Unread(BOX, 6.0)) == []
    assert hints(SHARP, Unread(BOX, 1.8), until_ms=PATIENCE_MS - 100) == []
    assert len(hints(SHARP, Unread(BOX, 1.8), until_ms=PATIENCE_MS + AGAIN_MS + 300)) == 2


def test_a_code_that_was_read_needs_no_hint() -> None:
    watching = Hints()
    for now_ms in range(0, 3 * PATIENCE_MS, 100):
        read = now_ms % 1000 == 0
        assert watching.after(SHARP, [] if read else [Unread(BOX, 1.8)], read=read, now_ms=now_ms) is None


def scene(screen: int, room: int = 30) -> Gray:
    """A screen of this brightness in a room of that."""
    picture = np.full((720, 1280), room, np.uint8)
    picture[200:500, 500:700] = screen
    return picture


def test_a_screen_that_burns_out_in_the_dark_lowers_the_exposure_and_gives_it_back() -> None:
    exposure, asked, now_ms = Exposure(), [], 0
    for _ in range(40):
        now_ms += 100
        stops = exposure.after(scene(255 if exposure.stops > -2 else 210), now_ms)
        asked += [] if stops is None else [stops]
    assert asked == [-1, -2], "as far as is needed, and it stays there while the screen does"
    for _ in range(30):
        now_ms += 100
        stops = exposure.after(scene(20), now_ms)
        asked += [] if stops is None else [stops]
    assert asked == [-1, -2, 0]


def test_a_bright_room_and_a_lamp_are_left_to_the_camera() -> None:
    exposure = Exposure()
    for now_ms in range(0, 5000, 100):
        assert exposure.after(scene(255, room=170), now_ms) is None
        assert exposure.after(scene(120), now_ms) is None
    for now_ms in range(5000, 20000, 100):
        exposure.after(scene(255), now_ms)
    assert exposure.stops == DARKEST, "and not further"
