"""A made machine: /sys, /proc and /dev as a Raspberry Pi 4 with a few things on it has them.

The contents are as kernels write them: sound cards after alsa-info of a Pi (alsa-project.org/db, card 1 a USB camera's microphone),
USB strings and by-id names after usual adapters.
"""

from pathlib import Path

CH340 = {"idVendor": "1a86", "idProduct": "7523", "product": "USB Serial"}
FTDI = {"idVendor": "0403", "idProduct": "6001", "manufacturer": "FTDI", "product": "FT232R USB UART", "serial": "A50285BI"}  # fmt: skip
C920 = {"idVendor": "046d", "idProduct": "082d", "product": "HD Pro Webcam C920", "serial": "5F2A3B4C"}
CARDS = """\
 0 [Headphones     ]: bcm2835_headpho - bcm2835 Headphones
                      bcm2835 Headphones
 1 [C920           ]: USB-Audio - HD Pro Webcam C920
                      HD Pro Webcam C920 at usb-0000:01:00.0-1.2, high speed
 2 [Device         ]: USB-Audio - USB Audio Device
                      C-Media Electronics Inc. USB Audio Device at usb-0000:01:00.0-1.3, full speed
 3 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0
                      vc4-hdmi-0
"""
KEYBOARD_KEYS = "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"
MOUSE_KEYS = "1f0000 0 0 0 0"


class Machine:
    """Writes under `root` as the kernel and udev do."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, text: str) -> None:
        """A file."""
        at = self.root / path.lstrip("/")
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(text + "\n")

    def link(self, path: str, target: str) -> None:
        """A relative link, as in /sys and /dev."""
        at = self.root / path.lstrip("/")
        at.parent.mkdir(parents=True, exist_ok=True)
        up = "/".join([".."] * (len(at.relative_to(self.root).parts) - 1))
        at.symlink_to(f"{up}/{target.lstrip('/')}")

    def usb(self, path: str, about: dict[str, str]) -> str:
        """A USB device's folder."""
        for name, value in about.items():
            self.write(f"{path}/{name}", value)
        return path

    def usb_serial(self, name: str, usb: str, about: dict[str, str], by_id: str = "", by_path: str = "") -> None:
        """A USB adapter."""
        folder = f"{self.usb(usb, about)}/1-1:1.0/{name}"
        self.write(f"{folder}/tty/{name}/dev", "188:0")
        self.link(f"{folder}/tty/{name}/device", folder)
        self.link(f"/sys/class/tty/{name}", f"{folder}/tty/{name}")
        self.write(f"/dev/{name}", "")
        if by_id:
            self.link(f"/dev/serial/by-id/{by_id}", f"/dev/{name}")
        if by_path:
            self.link(f"/dev/serial/by-path/{by_path}", f"/dev/{name}")

    def uart(self, name: str, type_: str) -> None:
        """A UART of the machine; type 0 has no hardware behind it."""
        folder = f"/sys/devices/platform/soc/{name}"
        self.write(f"{folder}/tty/{name}/type", type_)
        self.link(f"{folder}/tty/{name}/device", folder)
        self.link(f"/sys/class/tty/{name}", f"{folder}/tty/{name}")
        self.write(f"/dev/{name}", "")

    def video(self, name: str, said: str, index: str, usb: str = "", by_id: str = "") -> None:
        """A node of a camera, or of what is none."""
        folder = f"{usb or '/sys/devices/platform/soc/codec'}/1-1.2:1.0"
        self.write(f"{folder}/video4linux/{name}/name", said)
        self.write(f"{folder}/video4linux/{name}/index", index)
        self.link(f"{folder}/video4linux/{name}/device", folder)
        self.link(f"/sys/class/video4linux/{name}", f"{folder}/video4linux/{name}")
        self.write(f"/dev/{name}", "")
        if by_id:
            self.link(f"/dev/v4l/by-id/{by_id}", f"/dev/{name}")

    def typing(self, event: str, name: str, keys: str, by_id: str = "") -> None:
        """An input device."""
        folder = f"/sys/devices/usb/input/{event}"
        for path, text in (
            ("name", name),
            ("capabilities/key", keys),
            ("id/vendor", "1eab"),
            ("id/product", "0022"),
        ):
            self.write(f"{folder}/device/{path}", text)
        self.link(f"/sys/class/input/{event}", folder)
        self.write(f"/dev/input/{event}", "")
        if by_id:
            self.link(f"/dev/input/by-id/{by_id}", f"/dev/input/{event}")

    def chip(self, name: str, label: str, lines: str) -> None:
        """A GPIO chip, with the older interface beside it."""
        folder = f"/sys/devices/platform/soc/{label}"
        self.write(f"{folder}/{name}/dev", "254:0")
        self.link(f"/sys/bus/gpio/devices/{name}", f"{folder}/{name}")
        self.write(f"{folder}/gpio/{name}-class/label", label)
        self.write(f"{folder}/gpio/{name}-class/ngpio", lines)
        self.link(f"{folder}/gpio/{name}-class/device", folder)
        self.link(f"/sys/class/gpio/{name}-class", f"{folder}/gpio/{name}-class")
        self.write(f"/dev/{name}", "")


def raspberry_pi(root: Path) -> Machine:
    """A Pi 4 with two alike adapters, an FTDI one, a camera, sound, a scanner and a mouse."""
    made = Machine(root)
    made.write("/proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0")
    made.write("/sys/class/tty/console/active", "tty1 ttyAMA0")
    made.uart("ttyAMA0", "32")
    made.uart("ttyS1", "0")
    made.link("/dev/serial0", "/dev/ttyAMA0")
    alike = "usb-1a86_USB_Serial-if00-port0"
    made.usb_serial("ttyUSB0", "/sys/devices/pci/usb1/1-1", CH340, by_path="pci-0000:01:00.0-usb-0:1.1:1.0-port0")
    made.usb_serial("ttyUSB1", "/sys/devices/pci/usb1/1-3", CH340, alike, "pci-0000:01:00.0-usb-0:1.3:1.0-port0")
    made.usb_serial("ttyUSB10", "/sys/devices/pci/usb1/1-4", FTDI, "usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0")
    camera = made.usb("/sys/devices/pci/usb1/1-2", C920)
    by_id = "usb-046d_HD_Pro_Webcam_C920_5F2A3B4C-video-index"
    made.video("video0", "HD Pro Webcam C920", "0", camera, f"{by_id}0")
    made.video("video1", "HD Pro Webcam C920", "1", camera, f"{by_id}1")
    made.video("video10", "bcm2835-codec-decode", "0")
    made.video("video2", "unicam-image", "0")
    made.video("v4l-subdev0", "imx219 10-0010", "0")
    made.write("/proc/asound/cards", CARDS.rstrip("\n"))
    for path in ("card0/pcm0p", "card1/pcm0c", "card2/pcm0p", "card2/pcm0c", "card3/pcm0p"):
        made.write(f"/proc/asound/{path}/info", "")
    made.chip("gpiochip0", "pinctrl-bcm2711", "58")
    made.chip("gpiochip1", "raspberrypi-exp-gpio", "8")
    made.write("/sys/class/i2c-dev/i2c-1/name", "bcm2835 (i2c@7e804000)")
    made.write("/dev/i2c-1", "")
    made.typing("event0", "Newland Auto-ID HR20", KEYBOARD_KEYS, "usb-Newland_Auto-ID_HR20-event-kbd")
    made.typing("event1", "USB OPTICAL MOUSE", MOUSE_KEYS)
    return made
