"""GPIO chips and I²C buses. Who answers on a bus is asked only on demand: it may disturb a device that does not expect it."""

import errno
import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final, Protocol

from drivers.connected.row import Kind, Row
from drivers.connected.system import System
from drivers.errors import DeviceLost
from drivers.i2c_device import in_words

CHIPINFO: Final = 0x8044B401  # linux/gpio.h: GPIO_GET_CHIPINFO_IOCTL
_INFO: Final = struct.Struct("32s32sI")
ADDRESSES: Final = range(0x08, 0x78)  # below and above are reserved
PARTS: Final = {
    0x0A: "Omron D6T",
    0x33: "MLX90640",
    0x5A: "MLX90614",
    0x68: "a clock (DS3231), or AMG8833",
    0x69: "AMG8833",
}
"""What mostly has this address (hardware notes 1.8)."""
_PI_CHIPS: Final = ("pinctrl-bcm", "pinctrl-rp1")

Chip = tuple[str, int]
"""A GPIO chip's label, and how many lines it has."""


def gpio_chips(system: System) -> Iterator[Row]:
    """Every chip with its lines; the Pi's own is the one whose pins are given by BCM number."""
    for name in system.names("/sys/bus/gpio/devices"):
        label, lines = _from_class(system, name) or (_ask(system, name) if system.is_own else None) or ("", 0)
        is_header = label.startswith(_PI_CHIPS)
        seems = f"{label or name}, {lines or '?'} lines" + (": the pins of the Pi's header" if is_header else "")
        value = "2 to 27" if is_header else ""
        yield Row(Kind.GPIO, "pin", value, seems, (f"/dev/{name}",), system.lacks(f"/dev/{name}", "gpio"))


def _from_class(system: System, name: str) -> Chip | None:
    """Kernels with the older interface tell label and lines as text."""
    device = system.real(f"/sys/bus/gpio/devices/{name}")
    for chip in system.names("/sys/class/gpio"):
        folder = f"/sys/class/gpio/{chip}"
        lines = system.line(f"{folder}/ngpio")
        same = system.real(f"{folder}/device") in (device, system.real(f"{device}/.."))
        if lines.isdecimal() and same:
            return system.line(f"{folder}/label"), int(lines)
    return None


def _ask(system: System, name: str) -> Chip | None:
    """Of the chip itself, which changes nothing."""
    try:
        chip = os.open(system.at(f"/dev/{name}"), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        _, label, lines = _INFO.unpack(fcntl.ioctl(chip, CHIPINFO, bytes(_INFO.size)))
    except OSError:
        return None
    finally:
        os.close(chip)
    return label.partition(b"\0")[0].decode("ascii", "replace"), lines


def i2c_buses(system: System) -> Iterator[Row]:
    """Every bus that a program can open."""
    for name in system.names("/sys/class/i2c-dev"):
        said = system.line(f"/sys/class/i2c-dev/{name}/name") or system.line(f"/sys/bus/i2c/devices/{name}/name")
        pins = ": GPIO 2 and 3" if name == "i2c-1" and said.startswith("bcm2835") else ""
        yield Row(Kind.I2C, "bus", f"/dev/{name}", f"{said}{pins}", (), system.lacks(f"/dev/{name}", "i2c"))


class ByteBus(Protocol):
    """A bus of which single bytes are read."""

    def read_byte(self, i2c_addr: int) -> int:
        """One byte. Raises OSError."""

    def close(self) -> None:
        """Let go of it."""


def open_system_bus(path: str) -> ByteBus:
    """A bus of the system. Raises OSError."""
    from smbus2 import SMBus

    bus = SMBus()
    try:
        bus.open(path)
    except OSError:
        bus.close()
        raise
    opened: ByteBus = bus
    return opened


def scan(row: Row, open_bus: Callable[[str], ByteBus] = open_system_bus) -> Row:
    """The bus with who answers on it: one byte is read from each address, and nothing written. Raises DeviceLost when the bus
    cannot be opened."""
    try:
        bus = open_bus(row.value)
    except OSError as error:
        raise DeviceLost(f"{row.value}: {in_words(error)}") from error
    try:
        return replace(row, addresses=tuple(address for address in ADDRESSES if _answers(bus, address)))
    finally:
        bus.close()


def _answers(bus: ByteBus, address: int) -> bool:
    try:
        bus.read_byte(address)
    except OSError as error:
        return error.errno == errno.EBUSY  # a driver of the system has it, so it is there
    return True
