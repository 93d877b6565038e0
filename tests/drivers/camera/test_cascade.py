"""Which stage runs when: what the dear ones may cost, and where they look."""

from collections.abc import Callable

import numpy as np
import pytest

from drivers.camera.attention import FORGET_MS, LOAN_S, SAVED_S, Attention
from drivers.camera.cascade import REST_LOOK, Cascade, Look
from drivers.camera.decoders import Decode, Seen, Sight, Stage, Unread
from drivers.camera.frames import Box, Gray
from tests.drivers.camera.pictures import drawn

BOX = Box(40, 40, 120, 120)


class Bench:
    """A cascade of scripted stages, with a clock of its own: reading a picture costs 1 ms, a dear stage 10 ms."""

    def __init__(self, *dear: str, eyes: bool = False) -> None:
        self.asked: list[str] = []
        self.shapes: list[tuple[int, ...]] = []
        self.sights: dict[str, Sight] = {}
        self.notices: list[str] = []
        self.now_s = self.cost_s = 0.0
        self._noise = np.random.default_rng(1)
        self.cascade = Cascade(
            self.notices.append,
            [self.stage(name, 0.010) for name in dear],
            first=self.stage("first", 0.001),
            quick=self.stage("first", 0.001),
            clock=lambda: self.now_s,
            cost=lambda: self.cost_s,
        )

    def stage(self, name: str, cost_s: float) -> Stage:
        """A row that gives the sight that stands for its name."""

        def decode(gray: Gray) -> Sight:
            self.asked.append(name)
            self.shapes.append(gray.shape)
            self.cost_s += cost_s
            part = gray.shape != (240, 320)
            return Sight() if name == "first" and part else self.sights.get(name, Sight())

        return Stage(name, lambda: decode)

    def picture(self, *, still: bool = False) -> Look:
        """The next picture, which differs from the one before; a tenth of a second later."""
        self.now_s += 0.1
        gray = np.full((240, 320), self._noise.integers(0, 256), np.uint8)
        return self.cascade.read(gray, still=still)


def test_a_photograph_gets_one_stage_after_the_other_until_something_is_read() -> None:
    bench = Bench("a", "b", "c")
    bench.sights["b"] = Sight((Seen(b"read", BOX),))
    assert bench.picture(still=True) == Look({b"read": "b"})
    assert bench.asked == ["first", "first", "a", "b"]


def test_what_is_left_unread_on_a_photograph_is_read_by_the_next_stages() -> None:
    bench = Bench("a", "b")
    other = Box(200, 150, 260, 210)
    bench.sights["first"] = Sight((Seen(b"one", BOX),), (Unread(other),))
    bench.sights["a"] = Sight((Seen(b"two", Box(20, 20, 60, 60)),))
    look = bench.picture(still=True)
    assert look.codes == {b"one": "first", b"two": "a"}
    assert bench.shapes[-1] != (240, 320), "that part alone"


def test_an_idle_camera_spends_a_tenth_more_at_most_and_that_it_does_spend() -> None:
    bench = Bench("a", "b")
    for _ in range(8000):
        assert bench.picture().codes == {}
    dear = 0.010 * sum(name != "first" for name in bench.asked)
    assert 0 < dear <= 0.1 * 0.001 * 8000 + SAVED_S


def test_what_looks_like_a_code_gets_every_stage_at_once_and_only_that_part() -> None:
    bench = Bench("a", "b")
    bench.picture()
    bench.sights["first"] = Sight((), (Unread(BOX),))
    bench.sights["b"] = Sight((Seen(b"read", Box(5, 5, 60, 60)),))
    look = bench.picture()
    assert look.codes == {b"read": "b"}
    assert bench.shapes[-1][0] < 240
    assert look.unread == ()


def test_a_poster_that_looks_like_a_code_does_not_cost_for_ever() -> None:
    bench = Bench("a", "b")
    bench.sights["first"] = Sight((), (Unread(BOX),))
    pictures = 2000
    for _ in range(pictures):
        assert bench.picture().unread
    dear = 0.010 * sum(name != "first" for name in bench.asked)
    assert dear <= LOAN_S + 0.1 * 0.001 * pictures + 0.02


def test_a_picture_in_which_nothing_changes_is_looked_at_now_and_then_and_what_was_in_it_still_is() -> None:
    bench = Bench()
    bench.sights["first"] = Sight((Seen(b"held", BOX),))
    picture = np.full((240, 320), 90, np.uint8)
    noise = np.random.default_rng(2)
    for _ in range(10 * REST_LOOK):
        bench.now_s += 0.1
        assert bench.cascade.read((picture + noise.integers(0, 3, picture.shape)).astype(np.uint8)).codes
    assert len(bench.asked) <= 12


def test_where_a_code_was_is_told_also_while_nothing_changes() -> None:
    bench = Bench()
    bench.sights["first"] = Sight((Seen(b"held", BOX),))
    picture = np.full((240, 320), 90, np.uint8)
    for _ in range(2 * REST_LOOK):
        bench.now_s += 0.1
        assert bench.cascade.read(picture).places == {b"held": BOX}
    assert bench.cascade.read(np.full((240, 320), 200, np.uint8), still=True).places == {b"held": BOX}
    bench.sights.clear()
    assert bench.cascade.read(np.full((240, 320), 20, np.uint8), still=True).places == {}


def test_a_decoder_that_is_not_installed_is_told_once() -> None:
    def missing() -> Decode:
        raise ImportError("no such library")

    bench = Bench()
    bench.sights["last"] = Sight((Seen(b"a", BOX),))
    cascade = Cascade(
        bench.notices.append,
        [Stage("gone", missing), bench.stage("last", 0.0)],
        first=bench.stage("first", 0.0),
        quick=bench.stage("first", 0.0),
    )
    for _ in range(3):
        assert cascade.read(np.full((40, 40), 128, np.uint8), still=True).codes == {b"a": "last"}
    assert bench.notices == ["the decoder gone is not installed, going on without it: no such library"]


@pytest.mark.parametrize("content", [b"", b"x" * 4297, b"\xff" * 3073])
def test_content_of_an_impossible_size_is_not_taken(content: bytes) -> None:
    bench = Bench()
    bench.sights["first"] = Sight((Seen(content, BOX),))
    assert bench.picture(still=True).codes == {}


def test_a_decoder_that_raises_costs_its_stage_alone_and_is_told_once() -> None:
    def brittle() -> Decode:
        def decode(gray: Gray) -> Sight:
            raise ValueError(f"a picture of {gray.shape}")

        return decode

    bench = Bench()
    bench.sights["last"] = Sight((Seen(b"a", BOX),))
    cascade = Cascade(
        bench.notices.append,
        [Stage("brittle", brittle), bench.stage("last", 0.0)],
        first=bench.stage("first", 0.0),
        quick=bench.stage("first", 0.0),
    )
    for _ in range(3):
        assert cascade.read(np.full((40, 40), 128, np.uint8), still=True).codes == {b"a": "last"}
    (notice,) = bench.notices
    assert "brittle failed on a picture" in notice
    assert "a picture of (40, 40)" in notice


def test_one_that_cannot_be_read_does_not_blind_it_to_the_next() -> None:
    """A spoilt code is held up for long, beside it comes a good one, then the good one alone."""
    spoilt, good = drawn("SPOILT", module_px=4), drawn("GOOD", module_px=4)
    spoilt[40:100, 40:100] = 128
    now: list[float] = [0.0]
    cascade = Cascade(pytest.fail, clock=lambda: now[0])

    def shown(*codes: Gray) -> dict[bytes, str]:
        now[0] += 0.1
        scene = np.full((480, 640), 120, np.uint8)
        for number, code in enumerate(codes):
            scene[100 : 100 + code.shape[0], 60 + 300 * number : 60 + 300 * number + code.shape[1]] = code
        noise = np.random.default_rng(int(now[0] * 10)).integers(-6, 7, scene.shape)
        return cascade.read(np.clip(scene + noise, 0, 255).astype(np.uint8)).codes

    assert not any(shown(spoilt) for _ in range(40))
    assert any(b"GOOD" in shown(spoilt, good) for _ in range(4))
    assert any(b"GOOD" in shown(good) for _ in range(4))


def test_a_thing_that_moves_is_the_same_and_one_that_was_away_is_new() -> None:
    attention = Attention()
    drained: Callable[[], None] = lambda: attention.spend(10)  # noqa: E731  one word for it
    attention.looks_like_codes([BOX], 0)
    assert attention.may_spend
    drained()
    for step in range(1, 20):
        attention.looks_like_codes([BOX.moved(30 * step, 0)], 100 * step)
        assert not attention.may_spend
    attention.looks_like_codes([BOX.moved(30 * 20, 0)], 2000 + FORGET_MS + 1)
    assert attention.may_spend
