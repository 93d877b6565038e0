"""The wiring of every real model. What the notes do not say is not made up: it says so, and to look at the part.

"hardware notes" are the sources that the protocols cite; "(general knowledge)" stands where no source was found.
"""

from collections.abc import Mapping
from typing import Final

from drivers.wiring import Level, Wiring

UART: Final[Mapping[str, str]] = {
    "VCC": "5 V (pin 2 or 4) or 3.3 V (pin 1), see Power",
    "GND": "GND (pin 6)",
    "TX": "RXD, GPIO 15 (pin 10), or RX of a USB adapter",
    "RX": "TXD, GPIO 14 (pin 8), or TX of a USB adapter",
}
BY_ID: Final = '"/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0"'
PI_UART: Final = '"/dev/serial0"'
_NOT_STATED: Final = "its current is not stated in the sources"

GY_MCU90615: Final = Wiring(
    summary="UART (4 wires), 3 to 5 V",
    joins=UART,
    power="3 to 5 V, 5 mA; from 3.3 V its lines are the Pi's",
    level=Level.EITHER,
    example={"port": BY_ID},
    use="thermometer",
    notes=(
        "Which rate it starts with, and whether it streams, depends on its revision: both are found out.",
        "A forehead is held 1 to 2 cm (type BAA) or 5 to 10 cm (BCC) before it.",
    ),
    source="hardware notes 1.1; as99shop.com/product/363",
)
GY_MCU90614: Final = Wiring(
    summary="UART (4 wires), 3 to 5 V",
    joins=UART,
    power="3 to 5 V, 5 mA; from 3.3 V its lines are the Pi's",
    level=Level.EITHER,
    example={"port": BY_ID},
    use="thermometer",
    notes=(
        "On the wire it cannot be told from a gy-mcu90615, which measures less far: the writing on the part decides.",
        "A forehead is held 1 to 2 cm (type BAA) or 5 to 10 cm (BCC) before it.",
    ),
    source="hardware notes 1.1; planet-gates.com (90614-BAA)",
)
CJMCU_90614: Final = Wiring(
    summary="UART (4 wires), 3.3 or 5 V: see the part",
    joins=UART,
    power=f"3.3 V or 5 V, as is printed on the part; {_NOT_STATED}",
    level=Level.EITHER,
    example={"port": BY_ID},
    use="thermometer",
    notes=("Its cone is wide (distance to spot 1.6 to 1): a forehead is held close, or the room is measured with it.",),
    source="hardware notes 1.2; the supply is general knowledge",
)
GY_614V: Final = Wiring(
    summary="UART (4 wires), PS left open; 3 to 5 V: see the part",
    joins={**UART, "PS": "left open: joined to GND, it selects I²C, which is not supported"},
    power=f"3 to 5 V, as is printed on the part; {_NOT_STATED}",
    level=Level.EITHER,
    example={"port": BY_ID},
    use="thermometer",
    notes=("Eight rates are tried: until it is found, 7 s may go by. Nothing is saved in it.",),
    source="hardware notes 1.3; wap.szlitus.com/products/show-4084; supply and the open pad are general knowledge",
)
GD60914: Final = Wiring(
    summary="UART (4 wires), 3.3 V: see the part",
    joins={**UART, "VCC": "3.3 V (pin 1); 5 V (pin 2 or 4) only where the part says so"},
    power=f"3.3 V (general knowledge: see the part); {_NOT_STATED}",
    level=Level.EITHER,
    example={"port": PI_UART, "room_c": "22.0"},
    use="thermometer",
    notes=("It does not tell its surroundings: set room_c, or the guard measures everybody by hand.",),
    source="hardware notes 1.5; ESPHome's component gd60914",
)
MLX90614: Final = Wiring(
    summary="I²C (SDA, SCL), 3.3 V",
    joins={
        "VDD": "3.3 V (pin 1)",
        "VSS": "GND (pin 9)",
        "SDA": "SDA, GPIO 2 (pin 3)",
        "SCL": "SCL, GPIO 3 (pin 5)",
    },
    power="3.3 V with 100 nF beside the sensor; the 5 V type (90614A) must not pull its lines above 3.3 V",
    level=Level.SAFE,
    example={"bus": '"/dev/i2c-1"', "address": "90"},
    use="thermometer",
    notes=(
        "`dtparam=i2c_arm=on` in /boot/firmware/config.txt (or raspi-config); at most 100 kHz, wires below 30 cm.",
        "The gate's user must be in the group i2c.",
        "An MLX90615 is another part, and not this model.",
    ),
    source="hardware notes 1.8; hardware notes 10 (decoupling); the length of the wires is general knowledge",
)
GY_MCU90640: Final = Wiring(
    summary="UART (4 wires), 3 to 5 V: see the part",
    joins=UART,
    power=f"3 to 5 V, as is printed on the part; {_NOT_STATED}",
    level=Level.EITHER,
    example={"port": BY_ID},
    use="thermometer",
    notes=(
        "A picture takes 134 ms at 115200 baud, so that it gives at most 7 a second.",
        "±1.5 to 2 °C: it finds whom to measure again, and alone decides no fever.",
    ),
    source="hardware notes 1.4; the supply is general knowledge",
)
CALEX_PYROUSB: Final = Wiring(
    summary="USB",
    joins={"USB": "any USB port"},
    power="from USB",
    level=Level.USB,
    example={"port": BY_ID},
    use="thermometer",
    notes=("Its address is 1 as it is delivered.",),
    source="hardware notes 1.7; manualshive 3421020 p12",
)
MODBUS: Final = Wiring(
    summary="RS-485 through a USB adapter; supply as its manual says",
    joins={"A (D+)": "A of a USB-to-RS-485 adapter", "B (D-)": "B of the adapter", "GND": "GND of the adapter"},
    power="as the sensor's manual says, mostly 12 or 24 V",
    level="RS-485: never straight to a pin",
    example={"port": BY_ID, "object_register": "0", "ambient_register": "1"},
    use="thermometer",
    notes=(
        "A and B are swapped by some makers: where nothing answers, swap them.",
        "120 Ω between A and B at either end of a long line.",
        "What its manual calls register 30001 or 40001 is 0 here.",
        "Without ambient_register, only 24 h of the very same reading with nobody before it are told as stale.",
    ),
    source="MODBUS over Serial Line 1.02; the wiring is general knowledge",
)
RDM6300: Final = Wiring(
    summary="UART (TX alone), 5 V, its TX through a divider",
    joins={
        "P1 1 TX": "RXD, GPIO 15 (pin 10), through a divider; or RX of a USB adapter",
        "P1 2 RX": "not connected",
        "P1 4 GND": "GND (pin 6)",
        "P1 5 +5V": "5 V (pin 2 or 4)",
        "P2": "its coil",
    },
    power="5 V, below 50 mA (the module's datasheet, general knowledge)",
    level=Level.FIVE,
    example={"port": BY_ID},
    use="entry-reader",
    notes=("It says nothing without a card: to try it, hold one before its coil.",),
    source="hardware notes 3; the numbers of its pins are general knowledge",
)
GM65: Final = Wiring(
    summary="UART (4 wires), 5 V supply, 3.3 V lines",
    joins={**UART, "VCC": "5 V (pin 2 or 4)"},
    power="4.2 to 6 V, 160 mA: from the Pi's 5 V, or USB",
    level=Level.SAFE,
    example={"port": BY_ID},
    use="entry-camera",
    notes=(
        "By its own USB socket it may type as a keyboard: then it is a hid-scanner until it is set to a serial port.",
        "At start its set-up codes are closed, so that nobody reprograms it by showing it a page of its manual.",
    ),
    source="hardware notes 2.1; DFRobot DFR0660 datasheet",
)
HID_SCANNER: Final = Wiring(
    summary="USB",
    joins={"USB": "any USB port"},
    power="from USB",
    level=Level.USB,
    example={"path": '"/dev/input/by-id/usb-Newland_HR20-event-kbd"'},
    use="entry-camera",
    notes=(
        "The gate's user must be in the group input.",
        "Set it to a US layout and to Enter behind each code; better, where it can: to a serial port (USB COM).",
    ),
    source="hardware notes 2.3; linux/input.h",
)
ID12: Final = Wiring(
    summary="UART (D0 alone), 2.8 to 5 V, format ASCII",
    joins={
        "1 GND": "GND (pin 6)",
        "2 RST": "3.3 V",
        "7 FORMAT": "GND: ASCII, which is the only form that is read",
        "9 D0": "RXD, GPIO 15 (pin 10), or RX of a USB adapter",
        "11 VCC": "3.3 V (pin 1)",
    },
    power="2.8 to 5 V, about 45 mA (its datasheet, general knowledge)",
    level=Level.EITHER,
    example={"port": PI_UART},
    use="entry-reader",
    notes=("It says nothing without a card, and a card once.",),
    source="hardware notes 3 (the same as RDM6300, general knowledge); ID-12LA datasheet",
)
PN532: Final = Wiring(
    summary="UART, switches set to HSU, 3.3 V lines",
    joins={
        "VCC": "5 V (pin 2 or 4), or 3.3 V where the board has no regulator",
        "GND": "GND (pin 6)",
        "SDA/TXD": "RXD, GPIO 15 (pin 10), or RX of a USB adapter",
        "SCL/RXD": "TXD, GPIO 14 (pin 8), or TX of a USB adapter",
    },
    power="3.3 to 5 V, up to 150 mA while it searches (general knowledge)",
    level=Level.SAFE,
    example={"port": BY_ID},
    use="entry-reader",
    notes=("Both switches of the board to 0 (HSU), before it is powered.", "A UID can be copied onto another card."),
    source="hardware notes 3; NXP UM0701-02; switches and supply are general knowledge",
)
WIEGAND: Final = Wiring(
    summary="D0 and D1 on two pins, each through a level shifter; 12 V supply",
    joins={
        "D0 (green)": "a pin, such as GPIO 20, through a divider or level shifter",
        "D1 (white)": "another, such as GPIO 21, through a divider or level shifter",
        "GND (black)": "GND of its supply and of the Pi, joined",
        "+12 V (red)": "its own supply",
    },
    power="12 V as a rule, from the door's supply and never from the Pi",
    level="5 V on both lines: each through a divider or a level shifter, or the pins are lost",
    example={"d0": "20", "d1": "21"},
    use="entry-reader",
    notes=(
        "Shielded wire, the shield to ground at one end; at most 150 m.",
        "Outside the door, a reader's wires can be reached: the relay of the lock is inside.",
    ),
    source="hardware notes 3 and 10; SIA AC-01-1996.10; colours and length are general knowledge",
)
IDENTITY_CARD: Final = Wiring(
    summary="USB or RS-232 through an adapter; never straight to a pin",
    joins={"USB, or RS-232": "any USB port, or a USB-to-RS-232 adapter"},
    power="from USB, or as its manual says",
    level="RS-232 carries up to 15 V: only through an adapter",
    example={"port": BY_ID, "key": '"a secret of this site, 16 letters or more"'},
    use="entry-reader",
    notes=(
        "Readers that are no serial port (USB HID) are not supported.",
        "What it reads of a person stays in the driver, but for the `fields` that its settings name.",
    ),
    source="hardware notes 3; GA 450-2013; the connectors are general knowledge",
)
CAMERA: Final = Wiring(
    summary="USB camera (UVC)",
    joins={"USB": "any USB port; a camera of 1280 by 720 on one of its own, not behind a hub with others"},
    power="from USB",
    level=Level.USB,
    example={"path": '"/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920-video-index0"'},
    use="entry-camera",
    notes=("The gate's user must be in the group video.",),
    source="hardware notes 5",
)
PICAMERA: Final = Wiring(
    summary="Raspberry Pi camera on the ribbon (CSI)",
    joins={"CSI": "the Pi's camera connector, with the Pi switched off; a Pi 5 and a Zero take the narrow ribbon"},
    power="from the connector",
    level="CSI",
    example={"number": "0"},
    use="entry-camera",
    notes=(
        "Needs python3-picamera2 of the system and an environment that sees it: docs/camera.md.",
        "A ribbon longer than 30 cm picks up noise: a USB camera where the cabinet is further away.",
    ),
    source="hardware notes 5; the ribbon is general knowledge",
)
FOLDER: Final = Wiring(
    summary="a folder of photographs: nothing to connect",
    joins={},
    power="none",
    level="none",
    example={"path": '"photographs"'},
    use="entry-camera",
    source="this project",
)
VIDEO: Final = Wiring(
    summary="a video file: nothing to connect",
    joins={},
    power="none",
    level="none",
    example={"path": '"day.mp4"'},
    use="entry-camera",
    source="this project",
)
GPIO_INPUT: Final = Wiring(
    summary="a dry contact between a pin and GND, closed at rest",
    joins={"one side": "a pin, such as GPIO 27", "other side": "GND"},
    power="none: a contact; a sensor with an output of its own (12 V) only through an optocoupler",
    level="3.3 V at most: nothing but a dry contact or an open collector straight to a pin",
    example={"pin": "27", "pull": '"up"', "active": '"high"', "debounce_s": "0.05"},
    use="door-contact",
    notes=(
        'A loop that is closed at rest, with pull = "up" and active = "high", reads a cut wire as active.',
        "2 and 3 are always pulled up; 14 and 15 are the serial port's; 0 and 1 the HAT's own.",
        "A wire that leaves the cabinet: 1 kΩ in series, and a suppressor diode to ground.",
    ),
    source="hardware notes 4; the protection is general knowledge",
)
GPIO_BEAM_PAIR: Final = Wiring(
    summary="two light beams across the lane, one behind the other, each an open collector or a dry contact",
    joins={"outer": "a pin, such as GPIO 20", "inner": "a pin, such as GPIO 21", "other sides": "GND"},
    power="the beams' own supply (12 or 24 V): never into a pin",
    level="3.3 V at most: nothing but a dry contact or an open collector straight to a pin",
    example={"outer": "20", "inner": "21"},
    use="beam-pair",
    notes=(
        "10 cm apart, at hip height: closer than half a body is deep (docs/wiring.md).",
        "A beam that stays covered is told as stale, and is no passage.",
    ),
    source="hardware notes 4; the distance follows from how a body covers both",
)
GPIO_OUTPUT: Final = Wiring(
    summary="a relay board's input, with a resistor that holds it at rest",
    joins={
        "IN": "a pin, such as GPIO 22",
        "GND": "GND",
        "VCC": "5 V of a supply that bears the relays, not a pin of 3.3 V",
        "10 kΩ": 'from the pin to GND (to 3.3 V for active = "low"): rest, while no gate runs',
    },
    power="a pin bears 16 mA, a coil takes more: always through a relay board or a transistor",
    level="3.3 V out: a relay board that wants 5 V at its input needs a level shifter",
    example={"pin": "22", "active": '"high"'},
    use="lock",
    notes=(
        "Choose a pin that is at rest when the Pi starts, or the relay pulls for a moment: one of GPIO 9 to 27, which are low; "
        'for a board that is switched on by low (active = "low"), one of GPIO 4 to 8, which are high.',
        "The lock has a supply of its own, with break-glass and fire contact in it.",
        "A diode across the coil of a lock for direct current.",
    ),
    source="hardware notes 4 and 10; pins at boot and current are general knowledge",
)
LOUDSPEAKER: Final = Wiring(
    summary="a USB sound card, HDMI or the Pi's socket, with an amplifier",
    joins={"line out": "an active loudspeaker, or an amplifier"},
    power="a loudspeaker of a gate needs an amplifier with a supply of its own",
    level="none",
    example={"device": '"plughw:CARD=Device"'},
    use="speaker",
    notes=(
        "Named by its card, so that HDMI does not take its place; the gate's user must be in the group audio.",
        "A Pi 5 has no socket for sound.",
    ),
    source="hardware notes 6",
)
