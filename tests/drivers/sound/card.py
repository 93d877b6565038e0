"""A sound card that is a model of one, behind a program that stands in for aplay: it holds what the real one holds (the card's
buffer, and a period on its way there), and plays a period for each one that the test lets pass, or in real time.
"""

import os
import sys
from array import array
from pathlib import Path

from drivers.sound.pcm import RATE
from tests.drivers.sound.sounds import until

PROGRAM = """#!{python} -S
import os, sys, time
here = {here!r}
plugged = os.path.exists(here + "/plugged")
if "-l" in sys.argv:
    if plugged:
        print("card 1: Device [USB Audio Device], device 0: USB Audio [USB Audio]")
    sys.exit(0 if plugged else 1)
if not plugged:
    sys.exit("aplay: main:850: audio open error: No such file or directory")
asked = dict(each[2:].split("=") for each in sys.argv if each.startswith("--"))
frame_us = 4 / 44100 / 4 * 1e6
size = int(int(asked["period-time"]) / frame_us) * 4
room = int(int(asked["buffer-time"]) / frame_us) * 4
def read():
    data = b""
    while len(data) < size:
        more = os.read(0, size - len(data))
        if not more:
            sys.exit(0)
        data += more
    return data
tokens = os.open(here + "/tokens", os.O_RDONLY) if os.path.exists(here + "/tokens") else None
out = os.open(here + "/heard", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
buffer = b""
while len(buffer) + size <= room:
    buffer += read()
held = read()
while True:
    if tokens is None:
        time.sleep(size / 176400)
    elif not os.read(tokens, 1):
        sys.exit(0)
    if not os.path.exists(here + "/plugged"):
        sys.exit("aplay: pcm_write:2127: write error: No such device")
    os.write(out, buffer[:size])
    buffer = buffer[size:] + held
    held = read()
"""


class Card:
    """The card, in a folder whose `bin` is to be found first by PATH."""

    def __init__(self, folder: Path, *, by_hand: bool = False) -> None:
        self._folder = folder
        self.path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        (folder / "bin").mkdir(parents=True)
        program = folder / "bin" / "aplay"
        program.write_text(PROGRAM.format(python=sys.executable, here=str(folder)))
        program.chmod(0o755)
        self._tokens = -1
        if by_hand:
            os.mkfifo(folder / "tokens")
            self._tokens = os.open(folder / "tokens", os.O_RDWR)
        self.plug()

    def plug(self) -> None:
        """Plug it in."""
        (self._folder / "plugged").touch()

    def unplug(self) -> None:
        """Pull it out, whatever plays."""
        (self._folder / "plugged").unlink()

    def heard(self) -> "array[int]":
        """What has left the loudspeaker, at 22,050 Hz mono."""
        samples, out = array("h"), self._folder / "heard"
        data = out.read_bytes() if out.exists() else b""
        samples.frombytes(data[: len(data) // 8 * 8])
        return samples[::4]

    def play(self, periods: int) -> None:
        """Let so many periods of 10 ms pass."""
        before = len(self.heard())
        os.write(self._tokens, b"." * periods)
        until(lambda: len(self.heard()) >= before + periods * RATE // 100)

    def close(self) -> None:
        """Nothing passes any more."""
        if self._tokens >= 0:
            os.close(self._tokens)
