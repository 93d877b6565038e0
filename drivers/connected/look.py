"""Serial ports, cameras, sound cards and input devices, as the kernel lists them."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from drivers.connected.buses import gpio_chips, i2c_buses
from drivers.connected.row import Kind, Row
from drivers.connected.system import System

ADAPTERS: Final[Mapping[str, str]] = {
    "1a86:7523": "USB adapter with a CH340",
    "1a86:55d4": "USB adapter with a CH9102",
    "10c4:ea60": "USB adapter with a CP210x",
    "0403:6001": "USB adapter with an FT232",
    "0403:6015": "USB adapter with an FT231X",
    "067b:2303": "USB adapter with a PL2303",
}
"""By vendor and product: what says nothing of the device behind it (linux/drivers/usb/serial)."""
UARTS: Final[Mapping[str, str]] = {
    "ttyAMA0": "the Pi's UART (GPIO 14 and 15, unless Bluetooth has it)",
    "ttyAMA10": "a Pi 5's debug connector of 3 pins",
    "ttyS0": "the Pi's mini UART (GPIO 14 and 15)",
}
"""On a Pi alone (hardware notes 4)."""
PORTS: Final = re.compile(r"tty(USB|ACM|AMA|S|THS|XRUSB)[0-9]+")
CSI_SENSOR: Final = re.compile(r"((?:imx|ov|arducam|s5k|gc)[0-9a-z_]*) [0-9]+-[0-9a-f]{4}")
NO_CAMERA: Final = ("bcm2835-codec", "bcm2835-isp", "rpi-hevc", "rpivid", "pispbe", "unicam", "rp1-cfe", "csi2")
NEEDED_KEYS: Final = (2, 28)  # linux/input-event-codes.h: KEY_1, KEY_ENTER


def look(system: System) -> list[Row]:
    """Everything."""
    return [
        *serial_ports(system),
        *cameras(system),
        *sound_cards(system),
        *gpio_chips(system),
        *i2c_buses(system),
        *scanners(system),
    ]


def serial_ports(system: System) -> Iterator[Row]:
    """Every port that has hardware behind it, by the name that stays."""
    consoles = system.line("/sys/class/tty/console/active").split()
    for name in system.names("/sys/class/tty"):
        folder = f"/sys/class/tty/{name}"
        if not PORTS.fullmatch(name) or system.line(f"{folder}/type") == "0" or not system.is_there(f"{folder}/device"):
            continue
        node = f"/dev/{name}"
        usb = system.above(f"{folder}/device", "idVendor")
        names = system.links_to(node, "/dev/serial/by-id", "/dev/serial/by-path")
        names += [link for link in ("/dev/serial0", "/dev/serial1") if system.real(link) == node]
        notes = [system.lacks(node, "dialout")]
        if name in consoles:
            notes.append("the system's console is on it: take console=… out of /boot/firmware/cmdline.txt")
        if usb and not names:
            notes.append("this name may change when it is plugged in again")
        value, *others = [*names, node]
        seems = _usb(system, usb) if usb else _uart(system, name)
        yield Row(Kind.SERIAL, "port", value, seems, tuple(others), "; ".join(filter(None, notes)))


def _usb(system: System, usb: str) -> str:
    number = f"{system.line(f'{usb}/idVendor')}:{system.line(f'{usb}/idProduct')}"
    said = " ".join(filter(None, (system.line(f"{usb}/manufacturer"), system.line(f"{usb}/product"))))
    serial = system.line(f"{usb}/serial")
    return " ".join(
        filter(None, (ADAPTERS.get(number, "USB"), f"[{number}]", said, f"(serial {serial})" if serial else ""))
    )


def _uart(system: System, name: str) -> str:
    is_pi = "Raspberry Pi" in system.text("/proc/device-tree/model")
    return (UARTS.get(name) if is_pi else None) or "a UART of this machine"


def cameras(system: System) -> Iterator[Row]:
    """USB cameras by the name that stays, and sensors on a Pi's CSI connector."""
    for name in system.names("/sys/class/video4linux"):
        said = system.line(f"/sys/class/video4linux/{name}/name")
        sensor = CSI_SENSOR.fullmatch(said)
        if sensor:
            yield Row(Kind.CAMERA, "number", "", f"{sensor[1]} on the CSI connector", (), _csi(system))
        if not name.startswith("video") or said.startswith(NO_CAMERA):
            continue
        if system.line(f"/sys/class/video4linux/{name}/index") not in ("0", ""):
            continue  # a USB camera's second node has no pictures
        node = f"/dev/{name}"
        names = system.links_to(node, "/dev/v4l/by-id", "/dev/v4l/by-path")
        value, *others = [*names, node]
        usb = system.above(f"/sys/class/video4linux/{name}/device", "idVendor")
        seems = f"{said} [{system.line(f'{usb}/idVendor')}:{system.line(f'{usb}/idProduct')}]" if usb else said
        notes = [system.lacks(node, "video"), "" if names else "this name may change when it is plugged in again"]
        yield Row(Kind.CAMERA, "path", value, seems, tuple(others), "; ".join(filter(None, notes)))


def _csi(system: System) -> str:
    there = any(system.is_there(f"/usr/lib/python3/dist-packages/{name}") for name in ("picamera2", "libcamera"))
    return 'model = "picamera"' + ("" if there else ", and it needs Picamera2: apt install python3-picamera2")


CARD: Final = re.compile(r" *([0-9]+) \[([^\]]{1,16})\]: (.*?)\n *([^\n]*)")


def sound_cards(system: System) -> Iterator[Row]:
    """Every card that plays, by the name that the loudspeaker's `device` takes."""
    for number, card, kind, said in CARD.findall(system.text("/proc/asound/cards")):
        playing = [name for name in system.names(f"/proc/asound/card{number}") if re.fullmatch(r"pcm[0-9]+p", name)]
        seems = said.strip() if said.strip() not in kind else kind.partition(" - ")[2] or kind
        if playing:
            lacks = system.lacks(f"/dev/snd/pcmC{number}D{playing[0][3:-1]}p", "audio")
            hdmi = "a screen's: silent without one" if "hdmi" in card.lower() else ""
            note = "; ".join(filter(None, (lacks, hdmi)))
            yield Row(Kind.SOUND, "device", f"plughw:CARD={card.strip()}", seems, (f"plughw:{number}",), note)
        else:
            yield Row(Kind.SOUND, "device", "", seems, (), "a microphone alone: it plays nothing")


def scanners(system: System) -> Iterator[Row]:
    """What types: a scanner does, as a keyboard does."""
    for name in system.names("/sys/class/input"):
        folder = f"/sys/class/input/{name}/device"
        if not name.startswith("event") or not _types(system.line(f"{folder}/capabilities/key")):
            continue
        node = f"/dev/input/{name}"
        names = system.links_to(node, "/dev/input/by-id", "/dev/input/by-path")
        value, *others = [*names, node]
        number = f"{system.line(f'{folder}/id/vendor')}:{system.line(f'{folder}/id/product')}"
        notes = [system.lacks(node, "input"), "" if names else "this name may change when it is plugged in again"]
        seems = f"{system.line(f'{folder}/name')} [{number}]: a scanner that types, or a keyboard"
        yield Row(Kind.INPUT, "path", value, seems, tuple(others), "; ".join(filter(None, notes)))


def _types(capabilities: str) -> bool:
    """Whether these keys, hexadecimal words of 64 bits with the lowest last, have digits and Enter."""
    try:
        lowest = int(capabilities.rsplit(maxsplit=1)[-1], 16)
    except (ValueError, IndexError):
        return False
    return all(lowest >> key & 1 for key in NEEDED_KEYS)
