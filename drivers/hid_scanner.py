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
        self._woken = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def stop(self) -> None:
        """See Device.stop."""
        super().stop()
        if self._woken >= 0:
            os.close(self._woken)
            self._woken = -1

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
        keys, spoilt = HidKeys(monotonic_ms()), 0
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
            for code in keys.feed(data, monotonic_ms()):
                self._post(code)
            if keys.spoilt > spoilt:
                spoilt = keys.spoilt
                logger.warning(
                    "%s: a code could not be read: only half of it came, or something that is no character", self.name
                )

    def _wake(self) -> None:
        if self._woken >= 0:
            os.eventfd_write(self._woken, 1)
