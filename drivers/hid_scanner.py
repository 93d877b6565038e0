"""A code scanner that types, read from its input device: grabbed, so that nothing else hears it."""

import errno
import fcntl
import logging
import os
import select
from collections.abc import Callable
from typing import Final

from drivers.errors import DeviceLost
from drivers.protocols.hid_keys import EVENT, HidKeys
from drivers.readings import DeviceState
from drivers.tally import Tally, TallyKeeper
from drivers.threaded import RETRY, Retry, ThreadedDevice, monotonic_ms

logger = logging.getLogger("menshen.hid")
EVIOCGRAB: Final = 0x40044590  # linux/input.h
CHUNK: Final = 64 * EVENT.size
_CAUSES: Final = {
    errno.ENOENT: "there is no such device: is it plugged in?",
    errno.EACCES: "no permission: the gate's user must be in the group of the device (input)",
    errno.EBUSY: "another program has grabbed it",
    errno.ENOTTY: "is no input device",
    errno.EINVAL: "is no input device",
    errno.ENODEV: "it was unplugged",
}


def grab(device: int) -> None:
    """Have an input device's events go to us alone, until it is closed. Raises OSError."""
    fcntl.ioctl(device, EVIOCGRAB, 1)


class HidScanner(ThreadedDevice):
    """Implements CodeScanner. `grab`: makes the device ours."""

    def __init__(self, name: str, path: str, *, grab: Callable[[int], None] = grab, retry: Retry = RETRY) -> None:
        super().__init__(name, logger, retry)
        self._device_path = path
        self._grab = grab
        self._keeper = TallyKeeper()
        self._woken = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def stop(self) -> None:
        """See Device.stop."""
        super().stop()
        if self._woken >= 0:
            os.close(self._woken)
            self._woken = -1

    @property
    def tally(self) -> Tally:
        """What it has to show for itself; `noise` in characters. From any thread."""
        return self._keeper.tally

    def _path(self) -> str:
        """What to open."""
        return self._device_path

    def _live(self) -> None:
        path = self._path()
        device = -1
        try:
            device = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            self._grab(device)
            self._listen(device)
        except OSError as error:
            raise DeviceLost(f"{path}: {_CAUSES.get(error.errno or 0, str(error))}") from error
        finally:
            if device >= 0:
                os.close(device)

    def _listen(self, device: int) -> None:
        keys, bad = HidKeys(monotonic_ms()), 0
        self._keeper.opened()
        poll = select.poll()
        poll.register(device, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        self._become(DeviceState.OK)
        while not self._stopping.is_set():
            if device not in dict(poll.poll()):
                continue
            data = os.read(device, CHUNK)
            if not data:
                raise OSError(errno.ENODEV, "it has ended")
            self.tap("<", data, len(data))
            now_ms = monotonic_ms()
            codes = keys.feed(data, now_ms)
            self._keeper.looked(keys, now_ms)
            for code in codes:
                self._post(code)
            if keys.bad > bad:
                bad = keys.bad
                logger.warning(
                    "%s: a code could not be read: only half of it came, or something that is no character", self.name
                )

    def _wake(self) -> None:
        if self._woken >= 0:
            os.eventfd_write(self._woken, 1)
