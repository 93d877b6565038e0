"""Targets: a line that a model of the catalogue should be at, by the model's name. A model has one by its transcript; what there is to say
of its parser besides is a target of that name in `readers`, or a row here."""

import logging
import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from drivers.errors import BadFrame
from drivers.protocols import modbus
from drivers.protocols.frames import Frame, FrameReader
from drivers.readings import CardRead, CodeRead, Reading, Temperature
from tests.drivers.conversation import converse
from tests.drivers.transcripts import TRANSCRIPTS, Transcript
from tests.fuzz.target import Target, assert_bounded

logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # each refusal is a line
SENSIBLE_C = (-100.0, 3_000.0)
PIECES = 8
MODBUS_ANSWER = bytes.fromhex("01 04 02 01 6E 39 4C")  # hardware notes 1.7


def listened(script: Transcript, data: bytes) -> None:
    """A link hears this instead of its device, and then the device: it never raises, what it reads is sensible, and the conversation of
    the manual is read whatever came before."""
    link = script.link(0)
    if isinstance(frame := getattr(link, "frame", None), Frame):
        in_pieces(frame, data)
    link.ask(0)
    size = len(data) // PIECES + 1
    for number, at in enumerate(range(0, len(data), size)):
        _sensible(link.feed(data[at : at + size], number))
    link.health(PIECES)
    link.health(5_000)
    _sensible(link.feed(b"", 5_000))  # whoever was there has gone
    converse(script, link, 6_000)


def _sensible(readings: Sequence[Reading]) -> None:
    for read in readings:
        match read:
            case Temperature():
                for celsius in (read.object_c, read.ambient_c, read.body_c):
                    assert celsius is None or SENSIBLE_C[0] <= celsius <= SENSIBLE_C[1]
            case CardRead():
                assert re.fullmatch(r"[0-9A-F]{8,20}", read.uid)
            case CodeRead():
                assert_bounded(read.data)


def in_pieces(frame: Frame[Any], data: bytes) -> None:
    """In two pieces and in one: the same messages; and nothing piles up."""
    whole, halves = FrameReader(frame), FrameReader(frame)
    messages = whole.feed(data)
    assert halves.feed(data[: len(data) // 2]) + halves.feed(data[len(data) // 2 :]) == messages
    assert len(messages) * frame.length + whole.noise + whole.pending == len(data)
    assert whole.pending < frame.length


def modbus_answer(data: bytes) -> None:
    """A frame of any length, also with a right sum."""
    for frame in (data, data + modbus.FramerRTU.compute_CRC(data).to_bytes(2, "big")):
        try:
            modbus.decode(frame)
        except BadFrame:
            continue


def _seeds(script: Transcript) -> Iterable[bytes]:
    said = b"".join(script.said)
    return [said * 2, said[:1] + said + said[:5]]


BY_TRANSCRIPT = tuple(
    Target(name, partial(listened, script), partial(_seeds, script)) for name, script in TRANSCRIPTS.items()
)
TARGETS = (Target("modbus-answer", modbus_answer, lambda: [MODBUS_ANSWER, MODBUS_ANSWER[:-2], b"\x01\x84\x02"]),)
