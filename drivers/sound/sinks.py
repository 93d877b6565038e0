"""Where the sound goes: a sound card through `aplay`, a WAV file, or nowhere. Each takes a block in 20 ms of real time."""

import os
import re
import select
import time
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from drivers.errors import DeviceLost
from drivers.sound.pcm import BLOCK, RATE

BLOCK_S = BLOCK / RATE
_SILENCE = bytes(2 * BLOCK)
_PIPE_BYTES = 4096  # the smallest pipe there is: what lies in it sounds before an alarm does
# The sound card's buffer and one period, which aplay holds besides: with a block in the pipe and the fade, what is cut short is silent
# within 100 ms.
_BUFFER_US, _PERIOD_US = 50_000, 10_000
_STUCK_MS = 1000
_CARD = re.compile(r"^card \d+: (\S+) \[([^\]]*)\]", re.MULTILINE)
_NAMES_CARD = re.compile(r"[a-z0-9]+:(?:CARD=)?([A-Za-z0-9_-]+)")


class Sink(Protocol):
    """Takes sound, at its own pace."""

    def wait(self) -> None:
        """Return when there is room for a block. Raises DeviceLost."""

    def write(self, block: "array[int] | None") -> None:
        """Take a block (None: silence), after `wait`. Raises DeviceLost."""

    def close(self) -> None:
        """Let go."""


class Pace:
    """Real time: `wait` returns once a block's time, on average."""

    def __init__(self) -> None:
        self._next_s = time.monotonic()

    def wait(self) -> None:
        """Wait for the next block's time."""
        now_s = time.monotonic()
        self._next_s = max(self._next_s, now_s - 0.2) + BLOCK_S
        time.sleep(max(0.0, self._next_s - now_s))


class NullSink:
    """Nowhere, in real time."""

    def __init__(self) -> None:
        self._pace = Pace()

    def wait(self) -> None:
        """Wait out a block."""
        self._pace.wait()

    def write(self, block: "array[int] | None") -> None:
        """This is where sound is thrown away."""

    def close(self) -> None:
        """Nothing is held."""


class FileSink:
    """A WAV file, appended to, whose header is right at every second and at the end. Long silence is left out; a full
    file is renamed to `….1.wav` and begun anew. A file that holds anything else is left alone."""

    LONGEST_BYTES = 64 * 1024 * 1024  # some 25 minutes
    GAP_BLOCKS = 25  # of a silence, half a second is written

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pace = Pace()
        self._silent = self.GAP_BLOCKS
        self._since_header = 0
        self._fd = -1
        self._open()

    def _open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            begins = os.pread(self._fd, 44, 0)
            if begins and not _is_ours(begins):
                os.close(self._fd)
                raise DeviceLost(f"{self._path} holds something other than sound of ours: name another file")
            self._size = max(44, os.fstat(self._fd).st_size)
            self._write_header()  # the last one who wrote may have been killed before he could
        except OSError as error:
            raise DeviceLost(f"{self._path}: {error.strerror or error}") from error

    def wait(self) -> None:
        """Wait out a block."""
        self._pace.wait()

    def write(self, block: "array[int] | None") -> None:
        """Append the block. Raises DeviceLost when the disk takes no more."""
        self._silent = self._silent + 1 if block is None else 0
        try:
            if self._silent <= self.GAP_BLOCKS:
                self._append(_SILENCE if block is None else block.tobytes())
            if self._since_header >= 50 or (self._since_header and self._silent > self.GAP_BLOCKS):
                self._write_header()
            if self._size > self.LONGEST_BYTES:
                self.close()
                self._path.replace(self._path.with_suffix(".1.wav"))
                self._open()
        except OSError as error:
            raise DeviceLost(f"{self._path}: {error.strerror or error}") from error

    def _append(self, data: bytes) -> None:
        self._size += os.pwrite(self._fd, data, self._size)
        self._since_header += 1

    def _write_header(self) -> None:
        self._since_header = 0
        os.pwrite(self._fd, wav_header(self._size - 44), 0)

    def close(self) -> None:
        """Write the header and close."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            try:
                os.pwrite(fd, wav_header(self._size - 44), 0)
            finally:
                os.close(fd)


class StandIn(FileSink):
    """A file in place of a sound card that is not there, which is looked for from time to time."""


class AplaySink:
    """One `aplay` kept open, fed raw sound at 44.1 kHz in stereo, which sound cards take as it is."""

    def __init__(self, device: str, program: str = "aplay") -> None:
        import subprocess  # 2.5 MB, needed only with a sound card

        command = [program, "-q", "-t", "raw", "-f", "S16_LE", "-r", str(2 * RATE), "-c", "2", "-D", device]
        try:
            self._process = subprocess.Popen(
                [*command, f"--buffer-time={_BUFFER_US}", f"--period-time={_PERIOD_US}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                bufsize=0,
                pipesize=_PIPE_BYTES,
            )
        except OSError as error:
            raise DeviceLost(f"{program} does not start: {error.strerror or error}") from error
        stdin, stderr = self._process.stdin, self._process.stderr
        if stdin is None or stderr is None:
            raise DeviceLost(f"{program} has no pipes")
        self._stdin, self._stderr = stdin.fileno(), stderr.fileno()
        os.set_blocking(self._stderr, False)
        self._said = ""
        self._poll = select.poll()
        self._poll.register(self._stdin, select.POLLOUT)

    def wait(self) -> None:
        """Wait until the block before was taken. Raises DeviceLost with what aplay said last."""
        self._listen()
        if not self._poll.poll(_STUCK_MS):
            raise DeviceLost(self._listen() or "the sound card takes no sound")

    def write(self, block: "array[int] | None") -> None:
        """Write a block. Raises DeviceLost with what aplay said last."""
        try:
            os.write(self._stdin, b"\0" * (8 * BLOCK) if block is None else _doubled(block))
        except OSError as error:
            raise DeviceLost(self._listen() or str(error)) from error

    def _listen(self) -> str:
        """What aplay said last. Listened to all the time, lest it stop once the pipe is full of its complaints."""
        try:
            said = os.read(self._stderr, 4096).decode(errors="replace").strip()
        except BlockingIOError:
            said = ""
        self._said = said.splitlines()[-1][:200] if said else self._said
        return self._said

    def close(self) -> None:
        """End aplay."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stderr):
            if pipe is not None:
                pipe.close()


def _doubled(block: "array[int]") -> bytes:
    """The block at twice the rate, left and right."""
    out = array("h", bytes(8 * len(block)))
    for at in range(4):
        out[at::4] = block
    return out.tobytes()


def wav_header(size: int) -> bytes:
    """The 44 bytes before `size` bytes of 16-bit mono sound."""
    parts = (
        b"RIFF",
        (36 + size).to_bytes(4, "little"),
        b"WAVEfmt ",
        (16).to_bytes(4, "little"),
        (1).to_bytes(2, "little"),
        (1).to_bytes(2, "little"),
        RATE.to_bytes(4, "little"),
        (2 * RATE).to_bytes(4, "little"),
        (2).to_bytes(2, "little"),
        (16).to_bytes(2, "little"),
        b"data",
        size.to_bytes(4, "little"),
    )
    return b"".join(parts)


def _is_ours(begins: bytes) -> bool:
    """Whether a file begins as ours do, whatever its header says of the length."""
    empty = wav_header(0)
    return len(begins) == 44 and begins[:4] + begins[8:40] == empty[:4] + empty[8:40]


def cards(program: str = "aplay") -> dict[str, str]:
    """The sound cards by their names, which stay, with what they are: what `aplay -l` lists. Raises DeviceLost when there is no aplay."""
    import subprocess

    english = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run([program, "-l"], capture_output=True, timeout=2, check=False, env=english)
    except OSError as error:
        raise DeviceLost(f"{program} does not start: {error.strerror or error}") from error
    except subprocess.TimeoutExpired as error:
        raise DeviceLost(f"{program} -l does not end") from error
    return {found[1]: found[2] for found in _CARD.finditer(done.stdout.decode(errors="replace"))}


def has_sound_card(program: str = "aplay") -> bool:
    """Whether there is a card."""
    try:
        return bool(cards(program))
    except DeviceLost:
        return False


def card_of(device: str) -> str:
    """The card that an ALSA device's name names, by name or number; "" where it names none."""
    found = _NAMES_CARD.match(device)
    return found[1] if found else ""


def named_cards(found: Mapping[str, str]) -> str:
    """The cards that there are, for people."""
    return ", ".join(f"plughw:CARD={name} ({what})" for name, what in found.items()) or "none"


def open_card(device: str, program: str = "aplay") -> AplaySink:
    """The sink of an ALSA device. Raises DeviceLost, with the cards that there are when its card is none of them."""
    found, card = cards(program), card_of(device)
    if card and not card.isdigit() and card not in found:
        raise DeviceLost(f"there is no sound card {card}; there are: {named_cards(found)}")
    return AplaySink(device, program)
