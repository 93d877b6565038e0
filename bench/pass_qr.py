"""Which level of error correction for a pass: damaged, blurred pictures of its QR at the same printed size.

    {"pictures": …, "paper": {"L": …, "M": …, "Q": …}, "phone": {…}, "chosen": "Q"}

More correction means more modules, and on the same millimetres smaller ones. Each picture is a camera's (640×480) of a code
printed 30 mm wide with its quiet zone, held at three distances, a little turned, tilted, out of focus and noisy; over it
cracks (dark and light lines across it), glare (blots without any contrast) or both. Every level gets the same damage: the
same seeds, drawn before the code is made small. Read by the gate's own cascade; only exactly the text counts.
"""

import json
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.common import progress
from drivers.camera.cascade import Cascade
from menshen.passes import drawing
from sync.contract.colours import PassType
from sync.contract.passes import Pass, compressed, present, sign_pass

LEVELS = "LMQ"
WIDTHS_PX = (110, 150, 220)  # of the printed 30 mm in the picture
SEEDS = 60
CANVAS = 900  # pixels on which the damage is drawn
WIDTH, HEIGHT = 640, 480
Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Case:
    """One picture to take: what damages it, how large it is in it, and its seed."""

    damage: str
    width_px: int
    seed: int


def texts() -> dict[str, str]:
    """A typical pass on paper, and what a phone shows of one."""
    office, phone = Ed25519PrivateKey.from_private_bytes(bytes(range(32))), derive_private_key(7, SECP256R1())

    def issued(point: bytes) -> str:
        content = Pass(
            pass_id=b"12345678",
            pass_type=PassType.RESIDENT,
            site="demo",
            not_before_s=1_700_000_000,
            expires_s=1_900_000_000,
            holder="h-0101",
            phone=point,
        )
        return sign_pass(content, office)

    return {"paper": issued(b""), "phone": present(issued(compressed(phone.public_key())), phone, 1_800_000_000)}


def canvas(text: str, level: str) -> Picture:
    """The code and its quiet zone, without damage."""
    code = drawing.draw(text, level)
    modules = np.array(
        [[25 if dark else 215 for dark in row] for row in code.matrix_iter(border=drawing.BORDER)], np.uint8
    )
    return np.asarray(cv2.resize(modules, (CANVAS, CANVAS), interpolation=cv2.INTER_NEAREST), np.uint8)


def cracks(picture: Picture, source: random.Random) -> Picture:
    """Broken glass: lines that run from one point to the edges, bend, and are dark or light."""
    broken = picture.copy()
    at = (source.uniform(0.1, 0.9) * CANVAS, source.uniform(0.1, 0.9) * CANVAS)
    for _ in range(source.randint(4, 9)):
        x, y, angle = *at, source.uniform(0, 2 * np.pi)
        shade, width = source.choice((10, 240)), source.randint(4, 16)
        for _ in range(6):
            angle += source.uniform(-0.4, 0.4)
            to = (x + CANVAS / 5 * np.cos(angle), y + CANVAS / 5 * np.sin(angle))
            cv2.line(broken, (int(x), int(y)), (int(to[0]), int(to[1])), shade, width, cv2.LINE_AA)
            x, y = to
    return broken


def glare(picture: Picture, source: random.Random) -> Picture:
    """Lamps mirrored in the surface: blots of white that fade at their edge."""
    light = np.zeros((CANVAS, CANVAS), np.float32)
    for _ in range(source.randint(1, 3)):
        centre = (source.randrange(CANVAS), source.randrange(CANVAS))
        axes = (int(CANVAS * source.uniform(0.05, 0.15)), int(CANVAS * source.uniform(0.03, 0.10)))
        cv2.ellipse(light, centre, axes, source.uniform(0, 180), 0, 360, 1.0, -1)
    light = cv2.GaussianBlur(light, (0, 0), 12)
    return np.asarray(np.clip(picture + 255 * light, 0, 255), np.uint8)


DAMAGES: dict[str, Callable[[Picture, random.Random], Picture]] = {
    "none": lambda picture, _source: picture,
    "cracks": cracks,
    "glare": glare,
    "both": lambda picture, source: glare(cracks(picture, source), source),
}


def photograph(code: Picture, case: Case) -> Picture:
    """The picture that the camera takes."""
    source = random.Random(f"{case.damage} {case.width_px} {case.seed}")
    code = DAMAGES[case.damage](code, source)
    half, turn = case.width_px / 2, np.deg2rad(source.uniform(-15, 15))
    middle = np.array((WIDTH / 2 + source.uniform(-60, 60), HEIGHT / 2 + source.uniform(-40, 40)))
    rotation = np.array(((np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))))
    corners = np.array(((-1, -1), (1, -1), (1, 1), (-1, 1))) * half @ rotation.T + middle
    corners += np.array([[source.uniform(-0.03, 0.03) * case.width_px for _ in range(2)] for _ in range(4)])  # tilted
    flat = np.array(((0, 0), (CANVAS, 0), (CANVAS, CANVAS), (0, CANVAS)), np.float32)
    shape = cv2.getPerspectiveTransform(flat, (2 * corners).astype(np.float32))
    blurred = cv2.GaussianBlur(code, (0, 0), CANVAS / case.width_px / 3)  # what a pixel cannot tell apart
    large = cv2.warpPerspective(blurred, shape, (2 * WIDTH, 2 * HEIGHT), flags=cv2.INTER_LINEAR, borderValue=110)
    small = cv2.resize(large, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    unsharp = cv2.GaussianBlur(small, (0, 0), source.uniform(0.4, 0.9))
    noise = np.random.default_rng(case.seed).normal(0, 4, unsharp.shape)
    return np.asarray(np.clip(unsharp + noise, 0, 255), np.uint8)


def is_read(cascade: Cascade, picture: Picture, text: str) -> bool:
    """Whether any stage reads exactly the text."""
    wanted = text.encode()
    return wanted in cascade.read(picture, still=True).codes


def main() -> None:
    """Take the pictures and print the figures."""
    cascade = Cascade(lambda notice: print(notice, file=sys.stderr))
    cases = [Case(damage, width, seed) for damage in DAMAGES for width in WIDTHS_PX for seed in range(SEEDS)]
    result: dict[str, object] = {"pictures": len(cases)}
    for carrier, text in texts().items():
        canvases = {level: canvas(text, level) for level in LEVELS}
        read = {
            level: [
                case
                for case in progress(cases, f"{carrier} {level}")
                if is_read(cascade, photograph(canvases[level], case), text)
            ]
            for level in LEVELS
        }
        print(f"\n{carrier}: {len(text)} characters; read of {SEEDS} pictures each")
        print(
            f"{'level':<28}"
            + "".join(f"{damage + ' ' + str(width):>12}" for damage in DAMAGES for width in WIDTHS_PX)
            + f"{'all':>10}"
        )
        for level in LEVELS:
            counts = [
                sum(case.damage == d and case.width_px == w for case in read[level]) for d in DAMAGES for w in WIDTHS_PX
            ]
            name = drawing.describe(drawing.draw(text, level))
            print(
                f"{name.removeprefix('QR version '):<28}"
                + "".join(f"{n:>12}" for n in counts)
                + f"{len(read[level]) / len(cases):>10.1%}"
            )
        result[carrier] = {level: round(len(read[level]) / len(cases), 3) for level in LEVELS}
    print(json.dumps({**result, "chosen": drawing.LEVEL.upper()}))


if __name__ == "__main__":
    main()
