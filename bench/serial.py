"""How fast what devices say is taken apart, and what listening to them costs at their own pace.

    {"slowest_ratio": …, "slowest_line_ratio": …, "cpu_s_per_day": …, "bytes_per_s": {model: …}, "ratio": {model: …}, …}

`ratio`      bytes a second through a model's parser (every checksum, every value), against a bare loop over the same stream in the same
             pieces that finds the start with `bytes.find`, cuts a frame's length out and checks nothing, as sketches do
`line_ratio` the same against what the model's line carries at its fastest rate: below 1 it could not keep up
`cpu_s_per_day_of`  processor time of each real driver's thread at its device's real pace, with somebody before it: seconds of one core
             a day. The devices are the simulators over ptys, pipes and pins, all at once; the simulators' own threads are not counted.
             `cpu_s_per_day` is the dearest one

The stream is the frame of the manual (`tests/drivers/transcripts.py`) again and again, in the pieces in which a port is read.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bench.common import progress
from drivers.catalogue import MODELS, Bench
from drivers.protocols import (
    gm65,
    identity_card,
    modbus,
    pn532,
)
from drivers.protocols.frames import Frame, FrameReader
from drivers.protocols.packets import Packet, PacketReader
from drivers.readings import Reading
from drivers.serial_device import CHUNK
from tests.drivers.models import settings
from tests.drivers.transcripts import TRANSCRIPTS, act

DAY_S = 86_400
STREAM_BYTES = 200_000
BITS_A_BYTE = 10  # 8N1
Feed = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Row:
    """A model's parser, made anew by `feed`; the frame of the manual, and with what it begins; its line's fastest rate, baud."""

    feed: Callable[[], Feed]
    frame: bytes
    start: bytes
    baud: int

    @property
    def stream(self) -> bytes:
        """The frame again and again."""
        return self.frame * (STREAM_BYTES // len(self.frame))


def _framed(name: str, frame: Frame[Any], baud: int) -> Row:
    return Row(lambda: FrameReader(frame).feed, TRANSCRIPTS[name].said[-1], frame.start, baud)


def _packed(name: str, packet: Packet[Any], start: bytes, baud: int) -> Row:
    return Row(lambda: PacketReader(packet).feed, TRANSCRIPTS[name].said[-1], start, baud)


ROWS = {
    **{
        name: _framed(name, link.frame, max(link.bauds))
        for name, script in TRANSCRIPTS.items()
        if isinstance(getattr(link := script.link(0), "frame", None), Frame)
    },
    "calex-pyrousb": _framed("calex-pyrousb", Frame(b"\x01\x04\x08", 13, modbus.decode), 9_600),
    "gm65": _packed("gm65", gm65.MODULE_PACKET, b"\x03", 115_200),
    "pn532": _packed("pn532", pn532.PACKET, pn532.START, 115_200),
    "identity-card": _packed("identity-card", identity_card.MODULE_PACKET, identity_card.START, 115_200),
}
"""The parsers that search a stream; a GD60914, an I²C sensor, keys and pulses have nothing to be searched."""


def pieces(stream: bytes, size: int) -> Iterator[bytes]:
    """As a port is read."""
    return (stream[at : at + size] for at in range(0, len(stream), size))


def bare(start: bytes, length: int) -> Feed:
    """The peer: finds a start, cuts so many bytes out, and believes them."""
    buffer = b""

    def feed(chunk: bytes) -> list[bytes]:
        nonlocal buffer
        buffer += chunk
        found = []
        while (at := buffer.find(start)) >= 0 and len(buffer) - at >= length:
            found.append(buffer[at : at + length])
            buffer = buffer[at + length :]
        return found

    return feed


def speed(make: Callable[[], Feed], stream: bytes, size: int, rounds: int) -> float:
    """Bytes a second of processor time, the best of some rounds."""
    best_s = float("inf")
    for _ in range(rounds):
        feed = make()
        began_s = time.process_time()
        for piece in pieces(stream, size):
            feed(piece)
        best_s = min(best_s, time.process_time() - began_s)
    return len(stream) / best_s


def speeds(rounds: int) -> dict[str, tuple[float, float]]:
    """Bytes a second of each parser, and of the bare loop."""
    found = {}
    for name in progress(list(ROWS), "parsers"):
        row = ROWS[name]
        size = min(CHUNK, 4 * len(row.frame))
        peer = speed(lambda row=row: bare(row.start, len(row.frame)), row.stream, size, rounds)  # type: ignore[misc]
        found[name] = (speed(row.feed, row.stream, size, rounds), peer)
    return found


def _nobody(reading: Reading) -> None:
    """A reading goes nowhere."""


def _thread_s(device: Any) -> float:
    """Processor time of a driver's thread."""
    thread: threading.Thread = device._thread
    assert thread.ident is not None
    return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))


def a_day(seconds: float) -> dict[str, float]:
    """Processor time of each driver in a day, s: all devices at once, somebody before each, for so long."""
    bench = Bench()
    devices = {}
    for name in TRANSCRIPTS:
        twin = f"simulated-{name}"
        devices[name] = MODELS[twin].build(name, settings(twin), bench)
        devices[name].start(_nobody)
    pause = threading.Event()
    pause.wait(5.0)  # found, set up
    for name, device in devices.items():
        act(name, device.simulator)
    pause.wait(1.0)
    before = {name: _thread_s(device) for name, device in devices.items()}
    began_s = time.monotonic()
    pause.wait(seconds)
    took_s = time.monotonic() - began_s
    spent = {name: (_thread_s(device) - before[name]) / took_s * DAY_S for name, device in devices.items()}
    for device in devices.values():
        device.stop()
    return spent


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0, help="of listening at the devices' real pace")
    chosen = parser.parse_args(arguments)
    found, day = speeds(chosen.rounds), a_day(chosen.seconds)
    ratios = {name: ours / peer for name, (ours, peer) in found.items()}
    lines = {name: ours / (ROWS[name].baud / BITS_A_BYTE) for name, (ours, _) in found.items()}
    for name, spent in day.items():
        parsed = f"{found[name][0] / 1e6:6.2f} MB/s, {ratios[name]:.3f} of bare" if name in found else " " * 27
        print(f"{name:20}{parsed}   {spent:6.0f} s of processor a day", file=sys.stderr)
    print(
        json.dumps(
            {
                "slowest_ratio": round(min(ratios.values()), 4),
                "slowest_line_ratio": round(min(lines.values()), 1),
                "cpu_s_per_day": round(max(day.values())),
                "bytes_per_s": {name: round(ours) for name, (ours, _) in found.items()},
                "ratio": {name: round(ratio, 4) for name, ratio in ratios.items()},
                "line_ratio": {name: round(ratio, 1) for name, ratio in lines.items()},
                "cpu_s_per_day_of": {name: round(spent) for name, spent in day.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
