"""What a camera that sees no code costs, and how soon a code is read once it can be.

    {"idle_cpu_ratio": …, "idle_still_ratio": …, "idle_moving_ratio": …, "idle_textured_ratio": …, "frames_to_text_p50": …, "frames_to_text_p95": …, …}

Video at 1280×720 and 10 pictures a second, without a code: an empty scene (`still`), people who walk through it (`moving`),
and a camera that pans over tiles, text and shelves (`textured`; nothing is ever at rest). Computing time of the thread that reads,
against zxing-cpp (QR only, as it comes) run on every frame; of each kind the median of five pairs of slices, and
`idle_cpu_ratio` is the worst of the three. All stages are on.

Then a code comes near, hard to see in one of several ways. Of every picture it is known whether it is readable: zxing-cpp
or the cascade, given that picture alone as a photograph, reads it. Counted are the frames from the first readable one
to the text, that one included. Peers: zxing-cpp on every frame.
"""

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np

from bench.common import progress
from bench.qr import zxing_reader
from drivers.camera.cascade import Cascade
from drivers.camera.frames import Gray
from drivers.simulators.scene import qr_modules

WIDTH, HEIGHT, FPS = 1280, 720, 10
SLICE_S, SLICES = 6, 5
APPROACHES = 24


class Video:
    """Frames of one kind of scene without a code, with a sensor's noise."""

    def __init__(self, kind: str, seed: int) -> None:
        self._kind = kind
        self._random = np.random.default_rng(seed)
        self._noise = self._random.normal(0, 3, (HEIGHT + 64, WIDTH + 64)).astype(np.int16)
        self._scene = room(self._random) if kind != "textured" else textures(self._random)

    def frame(self, number: int) -> Gray:
        """The frame of this number."""
        if self._kind == "textured":
            left, top = 9 * number % (self._scene.shape[1] - WIDTH), 5 * number % (self._scene.shape[0] - HEIGHT)
            scene = self._scene[top : top + HEIGHT, left : left + WIDTH].copy()
        else:
            scene = self._scene.copy()
        if self._kind == "moving":
            person(scene, 40 * number % (WIDTH + 400) - 200)
        right, down = self._random.integers(0, 64, 2)
        return np.clip(scene + self._noise[down : down + HEIGHT, right : right + WIDTH], 0, 255).astype(np.uint8)


def room(source: np.random.Generator) -> Gray:
    """A wall, a door with a sign, tiles, a window."""
    scene = np.tile(np.linspace(90, 150, WIDTH).astype(np.uint8), (HEIGHT, 1))
    cv2.rectangle(scene, (760, 80), (1060, 719), 70, -1)
    cv2.rectangle(scene, (120, 60), (420, 300), 215, -1)
    for x in range(0, WIDTH, 64):
        cv2.line(scene, (x, 560), (x - 90, 719), 60, 2)
    for y in (560, 610, 680):
        cv2.line(scene, (0, y), (WIDTH, y), 60, 2)
    for row in range(4):
        cv2.putText(scene, f"NO ENTRY {source.integers(1000)}", (790, 150 + 40 * row), 0, 1.0, 220, 2)
    return scene


def textures(source: np.random.Generator) -> Gray:
    """Blocks, tiles, text, rings and shelves."""
    scene = np.full((1100, 2400), 120, np.uint8)
    for _ in range(900):
        x, y, size = (int(source.integers(0, limit)) for limit in (2400, 1100, 70))
        shade = int(source.integers(0, 255))
        kind = source.integers(0, 4)
        if kind == 0:
            cv2.rectangle(scene, (x, y), (x + size, y + size), shade, int(source.choice((-1, 3))))
        elif kind == 1:
            cv2.circle(scene, (x, y), size, shade, int(source.choice((-1, 4))))
        elif kind == 2:
            cv2.putText(scene, "".join(map(chr, source.integers(48, 90, 9))), (x, y), 0, 0.4 + size / 50, shade, 2)
        else:
            squares = np.kron(source.integers(0, 2, (6, 6)) * 180 + 40, np.ones((9, 9))).astype(np.uint8)
            scene[y : y + 54, x : x + 54] = squares[: scene[y : y + 54, x : x + 54].shape[0], : 2400 - x]
    return scene


def person(scene: Gray, x: int) -> None:
    """Somebody at this place, with a checked shirt."""
    cv2.ellipse(scene, (x, 220), (60, 80), 0, 0, 360, 170, -1)
    cv2.rectangle(scene, (x - 110, 300), (x + 110, 719), 60, -1)
    for step in range(-100, 110, 25):
        cv2.line(scene, (x + step, 300), (x + step, 719), 150, 6)


def cost_s(read: Callable[[Gray], object], frames: Sequence[Gray]) -> float:
    """The computing time of reading them all."""
    began_s = time.thread_time()
    for frame in frames:
        read(frame)
    return time.thread_time() - began_s


def idle_ratio(kind: str) -> float:
    """The cascade's computing time against zxing-cpp's on the same frames."""
    video, zxing = Video(kind, 1), zxing_reader()
    clock = Clock()
    cascade = Cascade(print, clock=clock)

    def ours(frame: Gray) -> None:
        clock.now_s += 1 / FPS
        assert not cascade.read(frame).codes, "a code where there is none"

    ratios = []
    for part in progress(range(SLICES + 1), f"idle, {kind}"):
        frames = [video.frame(part * SLICE_S * FPS + number) for number in range(SLICE_S * FPS)]
        first, second = (ours, zxing) if part % 2 else (zxing, ours)
        costs = {first: cost_s(first, frames), second: cost_s(second, frames)}
        if part:  # the first slice loads the decoders
            ratios.append(costs[ours] / costs[zxing])
    return statistics.median(ratios)


class Clock:
    """The video's own time, s."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        """Now."""
        return self.now_s


def approach(seed: int, scene: Gray) -> Iterator[Gray]:
    """A code that comes near, is held with a tremor, and is bent, dim, glaring, inverted or unsharp."""
    source, dice = random.Random(seed), np.random.default_rng(seed)
    modules = qr_modules(f"MP1:{seed:04}:".encode() + bytes(dice.integers(65, 91, source.choice((12, 60, 160)))))
    kind = ("plain", "bent", "dim", "glare", "inverted", "unsharp")[seed % 6]
    n, across, turn = modules.shape[0], source.randint(240, 420), np.deg2rad(source.uniform(-25, 25))
    low, high = (60, 85) if kind == "dim" else (25, 215)
    code = cv2.resize(modules, (n * 8, n * 8), interpolation=cv2.INTER_NEAREST) / 255 * (high - low) + low
    code = 255 - code if kind == "inverted" else code
    if kind == "bent":
        code = bent(code, source.uniform(0.03, 0.06))
    for number in range(14):
        size = across * min(1.0, 0.3 + 0.1 * number)
        middle = np.array((640 + 6 * np.sin(number), 360 + 5 * np.cos(number / 2)))
        rotation = np.array(((np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))))
        corners = np.array(((-1, -1), (1, -1), (1, 1), (-1, 1))) * size / 2 @ rotation.T + middle
        flat = np.array(((0, 0), (n * 8, 0), (n * 8, n * 8), (0, n * 8)), np.float32)
        plane = cv2.getPerspectiveTransform(flat, corners.astype(np.float32))
        softened = cv2.GaussianBlur(code.astype(np.float32), (0, 0), n * 8 / size / 2.5)
        shown = cv2.warpPerspective(softened, plane, (WIDTH, HEIGHT), borderValue=-1)
        frame = np.where(shown >= 0, shown, scene).astype(np.float32)
        if kind == "glare":
            light = cv2.circle(np.zeros((HEIGHT, WIDTH), np.float32), (660, 340), int(size / 9), 255.0, -1)
            frame += cv2.GaussianBlur(light, (0, 0), size / 20)
        if kind == "unsharp":
            frame = cv2.GaussianBlur(frame, (0, 0), 2.6)
        yield np.clip(frame + dice.normal(0, 4, frame.shape), 0, 255).astype(np.uint8)


def bent(code: np.ndarray, depth: float) -> np.ndarray:
    """As on a can."""
    size = code.shape[0]
    down, across = np.mgrid[:size, :size].astype(np.float32)
    bow = depth * size * (1 - (2 * across / size - 1) ** 2)
    return cv2.remap(
        code.astype(np.float32),
        across,
        down - np.float32(1) * bow.astype(np.float32) + depth * size / 2,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=200,
    )


def frames_to_text(seed: int, scene: Gray) -> tuple[int | None, int | None]:
    """(the cascade's, zxing-cpp's) frames from the first readable one to the text; None when it never came."""
    alone, zxing, clock = Cascade(print), zxing_reader(), Clock()
    cascade = Cascade(print, clock=clock)
    for _ in range(3 * FPS):  # the gate was empty before
        clock.now_s += 1 / FPS
        cascade.read(np.clip(scene + np.random.default_rng(seed).normal(0, 3, scene.shape), 0, 255).astype(np.uint8))
    readable = ours = theirs = None
    for number, frame in enumerate(approach(seed, scene)):
        clock.now_s += 1 / FPS
        by_zxing = bool(zxing(frame))
        if readable is None and (by_zxing or alone.read(frame, still=True).codes):
            readable = number
        if readable is None:
            cascade.read(frame)
            continue
        if ours is None and cascade.read(frame).codes:
            ours = number - readable + 1
        if theirs is None and by_zxing:
            theirs = number - readable + 1
    return ours, theirs


def main() -> None:
    """Measure and print the figures."""
    argparse.ArgumentParser(
        prog="python -m bench.camera", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    cv2.setNumThreads(1)
    ratios = {kind: round(idle_ratio(kind), 3) for kind in ("still", "moving", "textured")}
    scene = room(np.random.default_rng(2))
    pairs = [frames_to_text(seed, scene) for seed in progress(range(APPROACHES), "codes that come near")]
    ours, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    waits = sorted(wait for wait in ours if wait is not None)
    figures: dict[str, object] = {"idle_cpu_ratio": max(ratios.values())}
    figures |= {f"idle_{kind}_ratio": ratio for kind, ratio in ratios.items()}
    figures |= {
        "approaches": APPROACHES,
        "read": len(waits),
        "zxing_read": sum(wait is not None for wait in theirs),
        "frames_to_text_p50": statistics.median(waits),
        "frames_to_text_p95": waits[int(0.95 * (len(waits) - 1))],
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
