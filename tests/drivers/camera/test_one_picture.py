"""The process that reads one picture and ends, given what is none, too much, or damaged. Each test is a process of its own."""

import os
import select
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Final

import cv2
import msgspec
import numpy as np
import pytest
import zxingcpp

from drivers.camera.frames import Gray
from drivers.camera.one_picture import MOST_BYTES, MOST_CPU_S, MOST_MEMORY
from tests.drivers.camera.pictures import drawn

COMMAND: Final = (sys.executable, "-P", "-m", "drivers.camera.one_picture")
PLATE: Final = "https://permit.example/p?plate=粤B12345"


def encoded(picture: object, extension: str = ".png") -> bytes:
    done, data = cv2.imencode(extension, picture)  # type: ignore[call-overload]
    assert done
    return bytes(data)


def read(data: bytes) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(COMMAND, input=data, capture_output=True, check=False, timeout=60)


def codes(data: bytes) -> list[bytes]:
    done = read(data)
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout, type=list[bytes])


def bar_code(text: str) -> Gray:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128)
    return np.asarray(cv2.copyMakeBorder(np.array(code.to_image(scale=3)), 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=255))  # fmt: skip


def test_every_code_in_it_is_told() -> None:
    gbk = "车牌:粤B12345".encode("gbk")
    assert set(codes(encoded(drawn(PLATE, gbk), ".jpg"))) == {PLATE.encode(), gbk}


def test_a_bar_code_is_one_too() -> None:
    assert codes(encoded(bar_code("B-AB 1234"))) == [b"B-AB 1234"]


def test_a_picture_without_a_code_is_an_empty_list() -> None:
    assert codes(encoded(np.full((480, 640), 130, np.uint8))) == []


def png(width: int, height: int, body: bytes) -> bytes:
    """A PNG in grey that says it has so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


JPEG = encoded(drawn(PLATE), ".jpg")
HOSTILE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is no JPEG"),
    "text": (b"#!/bin/sh\nreboot\n", "is no JPEG"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>', "is no JPEG"),
    "random": (np.random.default_rng(3).bytes(100_000), "is no JPEG"),
    "random-behind-a-head": (JPEG[:160] + np.random.default_rng(4).bytes(100_000), "not readable"),
    "a-beginning": (JPEG[:20], "is a damaged JPEG"),
    "png-of-30000": (png(30_000, 30_000, b"\0" * 1_000_000), "says that it has 30000×30000 pixels"),
    "bomb": (png(20_000, 20_000, b"\0" * 400_020_000), "says that it has 20000×20000 pixels"),  # whole, in 0.4 MB
    "png-of-nothing": (png(0, 0, b""), "says that it has 0×0 pixels"),
    "jpeg-of-65500": (
        JPEG.replace(JPEG[JPEG.index(b"\xff\xc0") + 5 :][:4], b"\xff\xdc\xff\xdc", 1),
        "says that it has 65500×65500 pixels",
    ),
    "too-large": (JPEG + b"\0" * MOST_BYTES, "is larger than 8 MiB"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_picture_is_refused_with_a_line_that_says_why(kind: str) -> None:
    data, says = HOSTILE[kind]
    done = read(data)
    assert (done.returncode, done.stdout) == (os.EX_DATAERR, b"")
    *others, said = done.stderr.decode().splitlines()
    assert len(others) <= 1  # of libjpeg's own
    assert said.startswith(f"one picture: a picture of {min(len(data), MOST_BYTES + 1)} bytes: {says}")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_jpeg_that_was_cut_off_is_read_as_far_as_it_goes_or_refused(share: float) -> None:
    done = read(JPEG[: int(len(JPEG) * share)])
    assert done.returncode in (0, os.EX_DATAERR)
    if done.returncode == 0:
        assert set(msgspec.json.decode(done.stdout, type=list[bytes])) <= {PLATE.encode()}


def test_the_picture_that_takes_most_is_read_within_its_memory() -> None:
    deep = np.zeros((4_000, 4_000, 4), np.uint16)  # one colour, and transparent: it is looked at twice
    done = read(encoded(deep))
    assert (done.returncode, done.stdout) == (0, b"[]"), done.stderr


def test_it_has_limits_goes_first_and_stands_behind_everything_else() -> None:
    child = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        wanted = {
            "Max address space": str(MOST_MEMORY), "Max cpu time": str(MOST_CPU_S), "Max core file size": "0",
        }  # fmt: skip
        deadline = time.monotonic() + 20
        while not wanted.items() <= limits(child.pid).items() and time.monotonic() < deadline:
            select.select([], [], [], 0.02)
        assert wanted.items() <= limits(child.pid).items()
        assert Path(f"/proc/{child.pid}/oom_score_adj").read_text() == "1000\n"
        assert os.getpriority(os.PRIO_PROCESS, child.pid) == 10
    finally:
        child.kill()
        child.communicate()
    assert child.returncode == -signal.SIGKILL


def limits(pid: int) -> dict[str, str]:
    """The soft ones by name."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
    return {line[:25].strip(): line[26:46].strip() for line in lines}
