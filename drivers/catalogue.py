"""Every model of device, in the order of the lists: a row for each declaration of `drivers.models`.

Importing this module is cheap: what a declaration calls imports the libraries that its model needs.
"""

from collections.abc import Mapping
from typing import Final

from drivers.model import Kind, Model, by_name
from drivers.models.calex_pyrousb import CALEX_PYROUSB
from drivers.models.cameras import CAMERA, FOLDER, PICAMERA, VIDEO
from drivers.models.cjmcu_90614 import CJMCU_90614
from drivers.models.gd60914 import GD60914
from drivers.models.gm65 import GM65
from drivers.models.gy_614v import GY_614V
from drivers.models.gy_mcu90615 import GY_MCU90614, GY_MCU90615
from drivers.models.gy_mcu90640 import GY_MCU90640
from drivers.models.hid_scanner import HID_SCANNER
from drivers.models.identity_card import IDENTITY_CARD
from drivers.models.loudspeaker import LOUDSPEAKER
from drivers.models.mlx90614 import MLX90614
from drivers.models.modbus import MODBUS_THERMOMETER
from drivers.models.pins import GPIO_BEAM_PAIR, GPIO_INPUT, GPIO_OUTPUT
from drivers.models.pn532 import PN532
from drivers.models.rdm6300 import ID12, RDM6300
from drivers.models.wiegand import WIEGAND
from drivers.simulators.bench import Bench

__all__ = ["MODELS", "Bench", "Kind", "Model"]

MODELS: Final[Mapping[str, Model]] = dict(
    by_name(
        GY_MCU90615,
        GY_MCU90614,
        CJMCU_90614,
        GY_614V,
        GD60914,
        MLX90614,
        GY_MCU90640,
        CALEX_PYROUSB,
        MODBUS_THERMOMETER,
        RDM6300,
        CAMERA,
        PICAMERA,
        FOLDER,
        VIDEO,
        GPIO_INPUT,
        GPIO_BEAM_PAIR,
        GPIO_OUTPUT,
        LOUDSPEAKER,
        GM65,
        HID_SCANNER,
        ID12,
        PN532,
        WIEGAND,
        IDENTITY_CARD,
    )
)
"""By name, as in a gate's configuration; each simulated twin behind its model."""
