"""The loudspeaker as the gate sees it: orders to the sound's process, which is restarted when it dies."""

import logging
import time
from collections.abc import Iterable
from pathlib import Path

from drivers.child import PATIENCE, ChildDevice, ChildMisbehaved, Patience
from drivers.readings import DeviceState
from drivers.sound.settings import AnySpeakerSettings, LoudspeakerSettings
from drivers.sound.wire import pack, unpack

logger = logging.getLogger("menshen.sound")


class SpeakerProcess(ChildDevice):
    """Implements Speaker. No call blocks; what is asked while the process is being restarted is kept: speech for the 4 s
    it may wait, loops until they are stopped."""

    def __init__(self, name: str, settings: AnySpeakerSettings, *, patience: Patience = PATIENCE) -> None:
        super().__init__(name, "drivers.sound.process", "sound", logger, patience)
        device, file = (
            (settings.device, settings.file) if isinstance(settings, LoudspeakerSettings) else ("file", settings.path)
        )
        self._open = pack("open", device, str(Path(file).absolute()) if file else "")
        self._loops: dict[str, bytes] = {}
        self._beats = 0  # of the process that lives now

    def play(self, wavs: tuple[str, ...], priority: int, percent: int = 100) -> None:
        """See Speaker.play. Raises ValueError for a path that holds NUL."""
        if wavs:
            asked_ms = time.monotonic_ns() // 1_000_000
            self._child.send(pack("play", str(priority), str(asked_ms), str(percent), *wavs))

    def drop(self, wavs: tuple[str, ...], priority: int) -> None:
        """See Speaker.drop."""
        if wavs:
            self._child.send(pack("drop", str(priority), *wavs))

    def loop(self, wav: str, priority: int, percent: int = 100) -> None:
        """See Speaker.loop. Speech of the same or a higher priority is spoken over it."""
        self._loops[wav] = pack("loop", str(priority), str(percent), wav)
        self._child.send(self._loops[wav])

    def stop_loop(self, wav: str) -> None:
        """See Speaker.stop_loop."""
        if self._loops.pop(wav, None) is not None:
            self._child.send(pack("stop", wav))

    def close(self) -> None:
        """End the process, within 2 s."""
        self.stop()

    def _greet(self) -> Iterable[bytes]:
        self._beats = 0
        return (self._open, *tuple(self._loops.values()))

    def _hear(self, packet: bytes) -> None:
        match unpack(packet):
            case ["beat"]:
                if self._state is DeviceState.OK:  # while its card is lost, that the process lives says nothing of it
                    self._beats += 1
                    self._count(self._beats)
            case ["state", "ok" | "lost" as state, detail]:
                self._become(DeviceState(state), detail)
            case ["notice", text]:
                logger.warning("%s: %s", self.name, text)
            case words:
                raise ChildMisbehaved(f"no report: {words[0][:20]!r}")
