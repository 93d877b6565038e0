"""A keyboard that the kernel itself makes, through /dev/uinput, where a machine has that (linux/uinput.h)."""

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drivers.protocols.hid_keys import CAPS, CHARACTERS, ENTERS, KEY, SHIFTS, SYN

NODE = Path("/dev/uinput")
_CREATE, _DESTROY, _SET_EVENTS, _SET_KEY = 0x5501, 0x5502, 0x40045564, 0x40045565
_GET_NAME = 0x8040552C  # UI_GET_SYSNAME(64)


@contextmanager
def keyboard() -> Iterator[tuple[int, str]]:
    """Where to write its events, and the path of its input device."""
    made = os.open(NODE, os.O_WRONLY | os.O_NONBLOCK)
    try:
        for kind in (SYN, KEY):
            fcntl.ioctl(made, _SET_EVENTS, kind)
        for key in (*CHARACTERS, *ENTERS, *SHIFTS, CAPS, 56):
            fcntl.ioctl(made, _SET_KEY, key)
        os.write(made, struct.pack("80sHHHHI", b"menshen test scanner", 3, 1, 1, 1, 0) + bytes(4 * 64 * 4))
        fcntl.ioctl(made, _CREATE)
        name = fcntl.ioctl(made, _GET_NAME, bytes(64)).rstrip(b"\0").decode()
        (event,) = Path(f"/sys/devices/virtual/input/{name}").glob("event*")
        yield made, f"/dev/input/{event.name}"
        fcntl.ioctl(made, _DESTROY)
    finally:
        os.close(made)
