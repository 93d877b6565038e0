"""The loudspeaker as the gate sees it: orders to the sound's process, which is restarted when it dies."""

import logging
import time
from collections.abc import Iterable
from pathlib import Path

from drivers.child import PATIENCE, ChildMisbehaved, ChildProcess, Patience
from drivers.interfaces import Post
from drivers.readings import DeviceState, DeviceStatus, Reading
from drivers.sound.settings import AnySpeakerSettings, LoudspeakerSettings
from drivers.sound.wire import pack, unpack

logger = logging.getLogger("menshen.sound")


class SpeakerProcess:
    """Implements Speaker. No call blocks; what is asked while the process is being restarted is kept: speech for the 4 s
    it may wait, loops until they are stopped."""

    def __init__(self, name: str, settings: AnySpeakerSettings, *, patience: Patience = PATIENCE) -> None:
        self.name = name
        device, file = (
            (settings.device, settings.file) if isinstance(settings, LoudspeakerSettings) else ("file", settings.path)
        )
        self._open = pack("open", device, str(Path(file).absolute()) if file else "")
        self._state = DeviceState.STARTING
        self._loops: dict[str, bytes] = {}
        self._post: Post = _nowhere
        self._child = ChildProcess(
            name, "drivers.sound.process", greet=self._greet, hear=self._hear, lost=self._died, patience=patience
        )

    @property
    def state(self) -> DeviceState:
        """Where the sound process stands now."""
        return self._state

    @property
    def pid(self) -> int | None:
        """The sound process's id while it lives."""
        return self._child.pid

    def start(self, post: Post) -> None:
        """Start the process; `post` is given every DeviceStatus."""
        self._post = post
        self._child.start()

    def play(self, wavs: tuple[str, ...], priority: int) -> None:
        """See Speaker.play. Raises ValueError for a path that holds NUL."""
        if wavs:
            self._child.send(pack("play", str(priority), str(time.monotonic_ns() // 1_000_000), *wavs))

    def loop(self, wav: str, priority: int) -> None:
        """See Speaker.loop. Speech of the same or a higher priority is spoken over it."""
        self._loops[wav] = pack("loop", str(priority), wav)
        self._child.send(self._loops[wav])

    def stop_loop(self, wav: str) -> None:
        """See Speaker.stop_loop."""
        if self._loops.pop(wav, None) is not None:
            self._child.send(pack("stop", wav))

    def close(self) -> None:
        """End the process, within 2 s."""
        self._child.stop()

    stop = close

    def _greet(self) -> Iterable[bytes]:
        return (self._open, *tuple(self._loops.values()))

    def _hear(self, packet: bytes) -> None:
        match unpack(packet):
            case ["beat"]:
                pass
            case ["state", "ok" | "lost" as state, detail]:
                self._become(DeviceState(state), detail)
            case ["notice", text]:
                logger.warning("%s: %s", self.name, text)
            case words:
                raise ChildMisbehaved(f"no report: {words[0][:20]!r}")

    def _died(self, cause: str) -> None:
        self._become(DeviceState.LOST, f"the sound's process {cause}")

    def _become(self, state: DeviceState, detail: str) -> None:
        if state is self._state:
            return
        self._state = state
        logger.log(logging.INFO if state is DeviceState.OK else logging.WARNING, "%s: %s %s", self.name, state, detail)
        self._post(DeviceStatus(state, detail))


def _nowhere(reading: Reading) -> None:
    """Before `start` nobody listens."""
