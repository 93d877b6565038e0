"""The drawn scene: what a camera would see, with the time as an argument."""

import numpy as np
import pytest

from drivers.camera.cascade import Cascade
from drivers.simulators.scene import AWAY_MS, FAR, NEAR_MS, Scene


def read(scene: Scene, now_ms: int) -> list[bytes]:
    """What zxing-cpp reads at this moment."""
    return list(Cascade(pytest.fail, []).read(scene.picture(now_ms), still=True).codes)


def test_an_empty_scene_is_never_twice_the_same_and_holds_no_code() -> None:
    scene = Scene(320, 240)
    pictures = [scene.picture(0) for _ in range(20)]
    assert len({picture.tobytes() for picture in pictures}) == 20
    assert {(picture.shape, picture.dtype) for picture in pictures} == {((240, 320), np.dtype(np.uint8))}
    assert read(scene, 0) == []


def test_a_code_comes_near_is_held_and_goes() -> None:
    scene = Scene(640, 480)
    scene.show(b"MP1:PASS", 1000)
    assert all(read(scene, 1000 + NEAR_MS + held_ms) == [b"MP1:PASS"] for held_ms in range(0, 3000, 100))
    scene.clear(5000)
    assert read(scene, 5000) == [b"MP1:PASS"]
    assert read(scene, 5000 + AWAY_MS) == []


def test_it_grows_while_it_comes_near() -> None:
    def white(scene: Scene, now_ms: int) -> int:
        return int((scene.picture(now_ms) > 185).sum())

    scene = Scene(640, 480)
    scene.show(b"MP1:PASS", 0)
    far, near = white(scene, 0), white(scene, NEAR_MS)
    assert far * FAR < near < far * FAR**2 * 1.5


def test_another_code_takes_the_place_of_the_first() -> None:
    scene = Scene(640, 480)
    scene.show(b"first", 0)
    scene.show(b"second", 1000)
    assert read(scene, 1000 + NEAR_MS) == [b"second"]


@pytest.mark.parametrize("data", [b"1", "门神".encode(), b"\x00\xff\xfe", b"A" * 1000])
def test_any_content_can_be_shown(data: bytes) -> None:
    scene = Scene(1280, 720)
    scene.show(data, 0)
    assert read(scene, NEAR_MS) == [data]
