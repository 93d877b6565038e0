"""What is connected: of a made machine, whose files are as kernels write them, and of this one."""

import errno
import os
from pathlib import Path

import pytest

from drivers.connected import Kind, Row, System, look, scan
from drivers.errors import DeviceLost
from tests.drivers.machine import CH340, Machine, raspberry_pi


@pytest.fixture
def rows(tmp_path: Path) -> list[Row]:
    raspberry_pi(tmp_path)
    return look(System(tmp_path))


def of(rows: list[Row], kind: Kind) -> list[Row]:
    return [row for row in rows if row.kind is kind]


def test_serial_ports_have_the_name_that_stays_and_say_what_they_seem_to_be(rows: list[Row]) -> None:
    uart, first, second, ftdi = of(rows, Kind.SERIAL)
    assert (uart.value, uart.names) == ("/dev/serial0", ("/dev/ttyAMA0",))
    assert "the Pi's UART" in uart.seems
    assert "the system's console is on it" in uart.note
    # of two alike adapters, one alone has the name by id: the other is told by where it is plugged in
    assert first.value == "/dev/serial/by-path/pci-0000:01:00.0-usb-0:1.1:1.0-port0"
    assert second.value == "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0"
    assert second.names == ("/dev/serial/by-path/pci-0000:01:00.0-usb-0:1.3:1.0-port0", "/dev/ttyUSB1")
    assert first.seems == second.seems == "USB adapter with a CH340 [1a86:7523] USB Serial"
    assert ftdi.value == "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0"
    assert ftdi.seems.endswith("[0403:6001] FTDI FT232R USB UART (serial A50285BI)")


def test_an_adapter_without_a_name_that_stays_says_so(tmp_path: Path) -> None:
    Machine(tmp_path).usb_serial("ttyUSB0", "/sys/devices/usb1/1-1", CH340)
    (row,) = look(System(tmp_path))
    assert (row.value, row.note) == ("/dev/ttyUSB0", "this name may change when it is plugged in again")


def test_a_port_without_hardware_is_none(rows: list[Row]) -> None:
    assert not [row for row in rows if "ttyS1" in (row.value, *row.names)]


def test_a_camera_is_its_first_node_and_codecs_are_none(rows: list[Row]) -> None:
    csi, usb = of(rows, Kind.CAMERA)
    assert usb.value == "/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_5F2A3B4C-video-index0"
    assert usb.seems == "HD Pro Webcam C920 [046d:082d]"
    assert (csi.value, csi.seems) == ("", "imx219 on the CSI connector")
    assert "apt install python3-picamera2" in csi.note


def test_picamera2_is_seen(tmp_path: Path) -> None:
    made = raspberry_pi(tmp_path)
    made.write("/usr/lib/python3/dist-packages/picamera2/__init__.py", "")
    (csi, _) = of(look(System(tmp_path)), Kind.CAMERA)
    assert csi.note == 'model = "picamera"'


def test_sound_cards_are_named_as_the_loudspeaker_takes_them(rows: list[Row]) -> None:
    jack, microphone, usb, hdmi = of(rows, Kind.SOUND)
    assert (jack.value, jack.seems) == ("plughw:CARD=Headphones", "bcm2835 Headphones")
    assert (microphone.value, microphone.note) == ("", "a microphone alone: it plays nothing")
    assert usb.value == "plughw:CARD=Device"
    assert "C-Media" in usb.seems
    assert (hdmi.value, hdmi.note) == ("plughw:CARD=vc4hdmi0", "a screen's: silent without one")


def test_gpio_chips_with_their_lines(rows: list[Row]) -> None:
    header, expander = of(rows, Kind.GPIO)
    assert header.seems == "pinctrl-bcm2711, 58 lines: the pins of the Pi's header"
    assert (header.key, header.value, header.names) == ("pin", "2 to 27", ("/dev/gpiochip0",))
    assert (expander.seems, expander.value) == ("raspberrypi-exp-gpio, 8 lines", "")


def test_what_types_is_a_scanner_or_a_keyboard_and_a_mouse_is_neither(rows: list[Row]) -> None:
    (row,) = of(rows, Kind.INPUT)
    assert row.value == "/dev/input/by-id/usb-Newland_Auto-ID_HR20-event-kbd"
    assert row.seems.startswith("Newland Auto-ID HR20 [1eab:0022]")


def test_nothing_is_there(tmp_path: Path) -> None:
    assert look(System(tmp_path)) == []


def test_this_machine_can_be_looked_at() -> None:
    for row in look(System()):
        assert row.seems
        assert not row.value or row.kind in (Kind.SOUND, Kind.GPIO) or Path(row.value).exists()


def test_what_a_device_says_of_itself_is_cut_short_and_steers_nothing(tmp_path: Path) -> None:
    about = CH340 | {"product": "\x1b[31mred\u202e" + "x" * 5_000}
    Machine(tmp_path).usb_serial("ttyUSB0", "/sys/devices/usb1/1-1", about)
    (row,) = look(System(tmp_path))
    assert "\x1b" not in row.seems
    assert "\u202e" not in row.seems
    assert len(row.seems) < 200


def test_links_in_circles_end_nothing(tmp_path: Path) -> None:
    made = Machine(tmp_path)
    made.link("/sys/class/tty/ttyUSB0", "/sys/class/tty/ttyUSB0")
    made.link("/sys/class/input/event0", "/sys/class/input/event0")
    assert look(System(tmp_path)) == []


@pytest.mark.skipif(os.getuid() == 0, reason="root may read and write everything")
def test_whoever_may_not_open_a_port_is_told_the_group(tmp_path: Path) -> None:
    Machine(tmp_path).usb_serial("ttyUSB0", "/sys/devices/usb1/1-1", CH340, "usb-x-if00-port0")
    (tmp_path / "dev/ttyUSB0").chmod(0o000)
    (row,) = look(System(tmp_path))
    assert row.note == "no permission: add the user to the group dialout"


class Bus:
    """With a sensor at 5A, and at 68 a clock that the system's driver has."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.closed = False

    def read_byte(self, i2c_addr: int) -> int:
        self.asked.append(i2c_addr)
        if i2c_addr == 0x5A:
            return 0
        raise OSError(errno.EBUSY if i2c_addr == 0x68 else errno.EREMOTEIO, "no")

    def close(self) -> None:
        self.closed = True


def test_who_answers_on_a_bus_is_asked_on_demand_alone(rows: list[Row]) -> None:
    (row,) = of(rows, Kind.I2C)
    assert (row.value, row.addresses) == ("/dev/i2c-1", None)
    bus = Bus()
    assert scan(row, lambda _: bus).addresses == (0x5A, 0x68)
    assert bus.asked == list(range(0x08, 0x78))
    assert bus.closed


def test_a_bus_that_cannot_be_opened_says_why(rows: list[Row]) -> None:
    (row,) = of(rows, Kind.I2C)

    def refuse(_: str) -> Bus:
        raise PermissionError(errno.EACCES, "Permission denied")

    with pytest.raises(DeviceLost, match="group of the bus"):
        scan(row, refuse)
