"""The sound's process: takes orders, makes the next 20 ms, hands them to the sink; ends with the gate.

A loop goes on when the gate hangs; it stops when the gate's end of the connection closes. A lost sound card is reported
and tried again with backoff, and meanwhile the time goes on, so that nothing is spoken late.
"""

import os
import select
import signal
import time
from array import array
from collections.abc import Callable
from pathlib import Path

from drivers.errors import DeviceLost
from drivers.no_dumps import forbid_core_dumps
from drivers.sound.mixer import Mixer
from drivers.sound.pcm import read_wav
from drivers.sound.sinks import AplaySink, FileSink, NullSink, Sink, StandIn, has_sound_card, open_card
from drivers.sound.wire import MAX_PACKET, pack, unpack

BEAT_S = 0.5
PROVEN_S = 0.5  # a sink that took sound for this long works
RETRY_FIRST_S, RETRY_LONGEST_S = 1.0, 30.0


class GateGone(Exception):
    """The gate's end of the connection closed."""


class Connection:
    """Standard input: a socket of packets to the gate."""

    def __init__(self, fd: int = 0) -> None:
        self._fd = fd
        os.set_blocking(fd, False)
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)

    def receive(self, timeout_s: float = 0) -> list[str] | None:
        """The next message, or None. Raises GateGone."""
        if not self._poll.poll(timeout_s * 1000):
            return None
        try:
            packet = os.read(self._fd, MAX_PACKET)
        except ConnectionError as error:
            raise GateGone from error
        if not packet:
            raise GateGone
        return unpack(packet)

    def tell(self, *words: str) -> None:
        """Send a message; a gate that hangs and takes none misses it. Raises GateGone."""
        try:
            os.write(self._fd, pack(*words))
        except BlockingIOError:
            return
        except OSError as error:
            raise GateGone from error


class Output:
    """The sink that was asked for, or none while it is lost."""

    def __init__(self, opens: Callable[[], Sink], tell: Callable[..., None]) -> None:
        self._opens = opens
        self._tell = tell
        self._sink: Sink | None = None
        self._idle = NullSink()
        self._state = ""
        self._opened_s = self._retry_at_s = self._look_at_s = 0.0
        self._retry_s = RETRY_FIRST_S

    def wait(self) -> None:
        """Return when a block is wanted; takes its time whatever happens."""
        now_s = time.monotonic()
        if isinstance(self._sink, StandIn) and now_s >= self._look_at_s:
            self._look_at_s = now_s + RETRY_LONGEST_S
            if has_sound_card():
                self.close()
        if self._sink is None and now_s >= self._retry_at_s:
            self._try(now_s)
        try:
            (self._sink or self._idle).wait()
        except DeviceLost as error:
            self._lose(str(error))

    def write(self, block: "array[int] | None") -> None:
        """Let a block sound."""
        if self._sink is None:
            return
        try:
            self._sink.write(block)
        except DeviceLost as error:
            self._lose(str(error))
            return
        if time.monotonic() - self._opened_s >= PROVEN_S:
            self._become("ok", "")
            self._retry_s = RETRY_FIRST_S

    def _try(self, now_s: float) -> None:
        try:
            self._sink = self._opens()
            self._opened_s, self._look_at_s = now_s, now_s + RETRY_LONGEST_S
        except DeviceLost as error:
            self._lose(str(error))

    def _lose(self, detail: str) -> None:
        self.close()
        self._retry_at_s = time.monotonic() + self._retry_s
        self._retry_s = min(self._retry_s * 2, RETRY_LONGEST_S)
        self._become("lost", detail)

    def _become(self, state: str, detail: str) -> None:
        if state != self._state:
            self._state = state
            self._tell("state", state, detail)

    def close(self) -> None:
        """Let go of the sink."""
        if self._sink is not None:
            self._sink.close()
            self._sink = None


def opener(device: str, file: str, notice: Callable[[str], None]) -> Callable[[], Sink]:
    """What opens the sink. `device`: `auto` (a sound card when there is one, else the file), `file`, `null`, or the name
    of an ALSA device. `notice` is told when there is no sound card."""
    said = False

    def auto() -> Sink:
        nonlocal said
        if has_sound_card():
            return AplaySink("default")
        if file:
            if not said:
                notice(f"no sound card: the sound goes into {file}")
                said = True
            return StandIn(Path(file))
        raise DeviceLost("no sound card, and no file to write instead")

    match device:
        case "auto":
            return auto
        case "file":
            return lambda: FileSink(Path(file))
        case "null":
            return NullSink
        case _:
            return lambda: open_card(device)


def obey(words: list[str], mixer: Mixer) -> None:
    """Carry out one order. Raises ValueError for what is none."""
    match words:
        case ["play", priority, asked_ms, percent, *wavs]:
            mixer.play(wavs, int(priority), int(asked_ms), _percent(percent))
        case ["drop", priority, *wavs]:
            mixer.drop(wavs, int(priority))
        case ["loop", priority, percent, wav]:
            mixer.loop(wav, int(priority), _percent(percent))
        case ["stop", wav]:
            mixer.stop_loop(wav)
        case _:
            raise ValueError(f"no order: {words[:1]}")


def _percent(word: str) -> int:
    percent = int(word)
    if not 0 <= percent <= 100:
        raise ValueError(f"no loudness: {percent} %")
    return percent


def run(connection: Connection) -> None:
    """Obey and play. Raises GateGone."""
    first = connection.receive(timeout_s=20)
    if first is None or len(first) != 3 or first[0] != "open":
        raise GateGone

    def notice(text: str) -> None:
        connection.tell("notice", text)

    output = Output(opener(first[1], first[2], notice), connection.tell)
    mixer = Mixer(read_wav, notice)
    beaten_s = 0.0
    try:
        while True:
            output.wait()  # before the orders are read: what is made late knows of the newest
            now_s = time.monotonic()
            while (words := connection.receive()) is not None:
                obey(words, mixer)
            output.write(mixer.block(int(now_s * 1000)))
            if now_s - beaten_s >= BEAT_S:
                beaten_s = now_s
                connection.tell("beat")
    finally:
        output.close()


def main() -> None:
    """Play until the gate goes: it alone ends this process, by closing the connection or by SIGKILL."""
    forbid_core_dumps()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        run(Connection())
    except GateGone:
        return


if __name__ == "__main__":
    main()
