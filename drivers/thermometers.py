"""Every model of infrared thermometer: a declaration of its settings, its link and its simulator.

The docstring of each builder is the model's entry in the list of devices; see `drivers.catalogue`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from drivers import signs, wirings
from drivers.interfaces import Thermometer
from drivers.model import Kind, Model, claims_nothing, claims_port
from drivers.protocols.stillness import FINE, PICTURE, TENTHS, TENTHS_ALONE, Still
from drivers.settings import GyMcu90615Settings, SimulatedGyMcu90615Settings
from drivers.simulators.bench import Bench
from drivers.thermometer_settings import (
    CalexPyroUsbSettings,
    Cjmcu90614Settings,
    Gd60914Settings,
    Gy614vSettings,
    GyMcu90614Settings,
    GyMcu90640Settings,
    Mlx90614Settings,
    ModbusThermometerSettings,
    SimulatedThermometerSettings,
    manual_numbers,
)
from drivers.wiring import Wiring

if TYPE_CHECKING:
    from drivers.protocols.modbus import Registers
    from drivers.serial_device import Link
    from drivers.simulators.thermometer import ThermometerInstrument


def _on_port(name: str, port: str, link: "Callable[[int], Link]", parity: str = "none") -> Thermometer:
    from drivers.serial_device import SerialDevice

    return SerialDevice(name, port, link, parity=parity[0].upper())


def _simulated(name: str, model: "ThermometerInstrument", link: "Callable[[int], Link]") -> Thermometer:
    from drivers.simulators.serial_device import SimulatedSerialDevice
    from drivers.simulators.thermometer import InstrumentLine

    return SimulatedSerialDevice(name, InstrumentLine(name, model), link)


def _gy_mcu90615(name: str, settings: GyMcu90615Settings, _bench: Bench) -> Thermometer:
    """Infrared thermometer GY-MCU90615: posts Temperature, about 10 a second.

    Unit: °C, resolution 0.02, ±0.5. Source: hardware notes 1.1; as99shop.com/product/363."""
    from drivers.protocols.gy_mcu90615 import GyMcu90615Link

    return _on_port(name, settings.port, GyMcu90615Link)


def _simulated_gy_mcu90615(name: str, settings: SimulatedGyMcu90615Settings, _bench: Bench) -> Thermometer:
    """The driver of gy-mcu90615, with a model of sensor and forehead at the far end of a pty; `simulator` is the latter.

    Unit: °C. Source: as gy-mcu90615; resolution, rate and drift after those notes."""
    from drivers.protocols.gy_mcu90615 import GyMcu90615Link
    from drivers.simulators.thermometer import ThermometerModel

    return _simulated(name, ThermometerModel(settings), GyMcu90615Link)


def _gy_mcu90614(name: str, settings: GyMcu90614Settings, _bench: Bench) -> Thermometer:
    """Infrared thermometer GY-MCU90614: posts Temperature, about 14 a second.

    Unit: °C, resolution 0.02, ±0.5. Source: hardware notes 1.1; planet-gates.com (90614-BAA)."""
    from drivers.protocols.gy_mcu90615 import GyMcu90614Link

    return _on_port(name, settings.port, GyMcu90614Link)


def _simulated_gy_mcu90614(name: str, settings: SimulatedThermometerSettings, _bench: Bench) -> Thermometer:
    """The driver of gy-mcu90614, over a pty with a model of one.

    Unit: °C. Source: as gy-mcu90614."""
    from drivers.protocols.gy_mcu90615 import GyMcu90614Link
    from drivers.simulators.thermometer import ThermometerModel

    return _simulated(name, ThermometerModel(settings), GyMcu90614Link)


def _cjmcu_90614(name: str, settings: Cjmcu90614Settings, _bench: Bench) -> Thermometer:
    """Infrared thermometer CJMCU-90614: posts Temperature.

    Unit: °C, resolution 0.02, ±0.5. Source: hardware notes 1.2; electronicpro.co.za; newegg.ca 3D0-0039-001C4."""
    from drivers.protocols.cjmcu_90614 import Cjmcu90614Link

    return _on_port(name, settings.port, Cjmcu90614Link)


def _simulated_cjmcu_90614(name: str, settings: SimulatedThermometerSettings, _bench: Bench) -> Thermometer:
    """The driver of cjmcu-90614, over a pty with a model of one.

    Unit: °C. Source: as cjmcu-90614."""
    from drivers.protocols.cjmcu_90614 import Cjmcu90614Link
    from drivers.simulators.thermometer_models import Cjmcu90614Model

    return _simulated(name, Cjmcu90614Model(settings), Cjmcu90614Link)


def _gy_614v(name: str, settings: Gy614vSettings, _bench: Bench) -> Thermometer:
    """Infrared thermometer GY-614V: posts Temperature with the module's own body value, 10 a second.

    Unit: °C, in hundredths. Source: hardware notes 1.3; wap.szlitus.com/products/show-4084."""
    from drivers.protocols.gy_614v import Gy614vLink

    return _on_port(name, settings.port, Gy614vLink)


def _simulated_gy_614v(name: str, settings: SimulatedThermometerSettings, _bench: Bench) -> Thermometer:
    """The driver of gy-614v, over a pty with a model of one; its body value is 1.5 °C above the skin.

    Unit: °C. Source: as gy-614v."""
    from drivers.protocols.gy_614v import Gy614vLink
    from drivers.simulators.thermometer_models import Gy614vModel

    return _simulated(name, Gy614vModel(settings), Gy614vLink)


def _gd60914(name: str, settings: Gd60914Settings, _bench: Bench) -> Thermometer:
    """Infrared thermometer GD60914: asked for the body by the forehead, posts Temperature without surroundings of its own.

    Unit: °C, in tenths. Source: hardware notes 1.5; ESPHome's component gd60914."""
    from drivers.protocols.gd60914 import Asked, Gd60914Link

    asked = Asked[settings.measures.name]
    return _on_port(name, settings.port, partial(Gd60914Link, asked=asked, room_c=settings.room_c))


def _simulated_gd60914(name: str, settings: SimulatedThermometerSettings, _bench: Bench) -> Thermometer:
    """The driver of gd60914, over a pty with a model of one; the room is told to be what it is.

    Unit: °C. Source: as gd60914."""
    from drivers.protocols.gd60914 import Gd60914Link
    from drivers.simulators.thermometer_polled import Gd60914Model

    return _simulated(name, Gd60914Model(settings), partial(Gd60914Link, room_c=settings.room_c))


def _mlx90614(name: str, settings: Mlx90614Settings, _bench: Bench) -> Thermometer:
    """Infrared thermometer MLX90614 on I²C: posts Temperature, up to 10 a second.

    Unit: °C, resolution 0.02, ±0.5. Source: hardware notes 1.8; commandus/irthermometer; ESPHome mlx90614.cpp."""
    from drivers.i2c_device import I2cDevice
    from drivers.protocols.mlx90614 import Mlx90614Link

    link = partial(Mlx90614Link, address=settings.address)
    return I2cDevice(name, settings.bus, settings.address, link)


def _simulated_mlx90614(name: str, settings: SimulatedThermometerSettings, _bench: Bench) -> Thermometer:
    """The driver of mlx90614, on a simulated bus; `simulator` is that.

    Unit: °C. Source: as mlx90614."""
    from drivers.simulators.i2c import SimulatedI2cThermometer

    return SimulatedI2cThermometer(name, settings)


def _gy_mcu90640(name: str, settings: GyMcu90640Settings, _bench: Bench) -> Thermometer:
    """Thermal camera GY-MCU90640: posts the hottest plausible patch of its picture as Temperature, 4 a second or so.

    Unit: °C, in hundredths, ±1.5 to 2. Source: hardware notes 1.4; vvkuryshev/GY-MCU90640-RPI-Python."""
    from drivers.protocols.gy_mcu90640 import GyMcu90640Link

    return _on_port(name, settings.port, GyMcu90640Link)


def _simulated_gy_mcu90640(name: str, settings: SimulatedThermometerSettings, _bench: Bench) -> Thermometer:
    """The driver of gy-mcu90640, over a pty with a model of one: a face as a disc before a room.

    Unit: °C. Source: as gy-mcu90640."""
    from drivers.protocols.gy_mcu90640 import GyMcu90640Link
    from drivers.simulators.thermometer_models import Gy90640Model

    return _simulated(name, Gy90640Model(settings), GyMcu90640Link)


def _calex_pyrousb(name: str, settings: CalexPyroUsbSettings, _bench: Bench) -> Thermometer:
    """Infrared thermometer Calex PyroUSB by Modbus RTU: posts Temperature, up to 10 a second.

    Unit: °C, in tenths. Source: hardware notes 1.7; manualshive 3421020 p12."""
    from drivers.protocols.modbus import PYRO_USB, ModbusLink

    return _on_port(name, settings.port, partial(ModbusLink, registers=PYRO_USB, address=settings.address))


def _simulated_calex_pyrousb(name: str, settings: SimulatedThermometerSettings, _bench: Bench) -> Thermometer:
    """The driver of calex-pyrousb, over a pty with a model of one, whose frames are pymodbus's.

    Unit: °C. Source: as calex-pyrousb."""
    from drivers.protocols.modbus import PYRO_USB, ModbusLink
    from drivers.simulators.thermometer_polled import ModbusModel

    return _simulated(name, ModbusModel(settings, PYRO_USB), partial(ModbusLink, registers=PYRO_USB))


def _modbus(name: str, settings: ModbusThermometerSettings, _bench: Bench) -> Thermometer:
    """Any thermometer by Modbus RTU: posts Temperature by the table of registers in its settings.

    Unit: °C, as its table says. Source: MODBUS over Serial Line 1.02; the sensor's own manual."""
    from drivers.protocols.modbus import ModbusLink

    link = partial(ModbusLink, registers=registers_of(settings), address=settings.address, baud=settings.baud)
    return _on_port(name, settings.port, link, settings.parity)


def registers_of(settings: ModbusThermometerSettings) -> "Registers":
    """The table as the protocol takes it."""
    from drivers.protocols.modbus import Register, Registers, Status, Table
    from drivers.protocols.quantity import Quantity

    number = settings.number.value
    quantity = Quantity(
        settings.lowest_c,
        settings.highest_c,
        settings.steps,
        size=4 if "float" in number else 2,
        signed=number != "uint16",
        is_float="float" in number,
    )
    low_first = number.endswith("low-first")
    ambient_at, status_at = settings.ambient_register, settings.status_register
    return Registers(
        Table(settings.table),
        Register(settings.object_register, quantity, low_first),
        None if ambient_at is None else Register(ambient_at, quantity, low_first),
        None if status_at is None else Status(status_at, settings.status_faults),
        settings.room_c,
        settings.apart,
    )


def _simulated_modbus(name: str, settings: SimulatedThermometerSettings, _bench: Bench) -> Thermometer:
    """The driver of modbus-thermometer, over a pty with a model of one: object and sensor as float32 in holding registers.

    Unit: °C. Source: as modbus-thermometer."""
    from drivers.protocols.modbus import SIMULATED, ModbusLink
    from drivers.simulators.thermometer_polled import ModbusModel

    return _simulated(name, ModbusModel(settings, SIMULATED), partial(ModbusLink, registers=SIMULATED))


def _bus(settings: Mlx90614Settings) -> tuple[str, ...]:
    return (f"address {settings.address:#04x} of {settings.bus}",)


def _model(
    settings: type[Any],
    build: Callable[[str, Any, Bench], Any],
    wiring: Wiring | None = None,
    sign: Callable[[], signs.Sign] | None = None,
    still: Still = TENTHS,
    **more: Any,
) -> Model:
    claims = claims_nothing if issubclass(settings, SimulatedGyMcu90615Settings) else claims_port
    return Model(Kind.THERMOMETER, settings, claims, build, wiring, sign, still if wiring is not None else None, **more)


THERMOMETERS: Final[Mapping[str, Model]] = {
    "gy-mcu90615": _model(GyMcu90615Settings, _gy_mcu90615, wirings.GY_MCU90615, signs.gy_mcu90615, FINE),
    "simulated-gy-mcu90615": _model(SimulatedGyMcu90615Settings, _simulated_gy_mcu90615),
    "gy-mcu90614": _model(GyMcu90614Settings, _gy_mcu90614, wirings.GY_MCU90614, signs.gy_mcu90614, FINE),
    "simulated-gy-mcu90614": _model(SimulatedThermometerSettings, _simulated_gy_mcu90614),
    "cjmcu-90614": _model(Cjmcu90614Settings, _cjmcu_90614, wirings.CJMCU_90614, signs.cjmcu_90614, FINE),
    "simulated-cjmcu-90614": _model(SimulatedThermometerSettings, _simulated_cjmcu_90614),
    "gy-614v": _model(Gy614vSettings, _gy_614v, wirings.GY_614V, signs.gy_614v, FINE),
    "simulated-gy-614v": _model(SimulatedThermometerSettings, _simulated_gy_614v),
    "gd60914": _model(Gd60914Settings, _gd60914, wirings.GD60914, signs.gd60914, TENTHS_ALONE),
    "simulated-gd60914": _model(SimulatedThermometerSettings, _simulated_gd60914),
    "mlx90614": Model(Kind.THERMOMETER, Mlx90614Settings, _bus, _mlx90614, wirings.MLX90614, signs.mlx90614, FINE),
    "simulated-mlx90614": _model(SimulatedThermometerSettings, _simulated_mlx90614),
    "gy-mcu90640": _model(GyMcu90640Settings, _gy_mcu90640, wirings.GY_MCU90640, signs.gy_mcu90640, PICTURE),
    "simulated-gy-mcu90640": _model(SimulatedThermometerSettings, _simulated_gy_mcu90640),
    "calex-pyrousb": _model(CalexPyroUsbSettings, _calex_pyrousb, wirings.CALEX_PYROUSB, signs.calex_pyrousb, TENTHS),
    "simulated-calex-pyrousb": _model(SimulatedThermometerSettings, _simulated_calex_pyrousb),
    "modbus-thermometer": _model(
        ModbusThermometerSettings, _modbus, wirings.MODBUS, signs.modbus, TENTHS, wrong=manual_numbers
    ),
    "simulated-modbus-thermometer": _model(SimulatedThermometerSettings, _simulated_modbus),
}
