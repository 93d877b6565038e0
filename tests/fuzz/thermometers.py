"""Targets: what may come from a thermometer, by serial line or bus."""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from drivers.errors import BadFrame
from drivers.protocols import cjmcu_90614, gd60914, gy_614v, gy_mcu90615, gy_mcu90640, mlx90614, modbus
from drivers.protocols.frames import Frame
from drivers.protocols.polling import Poll
from drivers.readings import Temperature
from tests.fuzz.target import Target
from tests.fuzz.wires import in_pieces

logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # each refusal is a line
SENSIBLE_C = (-100.0, 3_000.0)
GD_ANSWER = gd60914.encode(36.5)
MODBUS_ANSWER = bytes.fromhex("01 04 02 01 6E 39 4C")  # hardware notes 1.7
TENTHS = modbus.Register(0x12, modbus.PYRO_USB.object.quantity)
ONE_REGISTER = modbus.Registers(modbus.Table.INPUT, TENTHS, room_c=20.0)


def _sensible(readings: Iterable[Temperature]) -> None:
    for read in readings:
        assert SENSIBLE_C[0] <= read.object_c <= SENSIBLE_C[1]
        assert read.ambient_c is None or SENSIBLE_C[0] <= read.ambient_c <= SENSIBLE_C[1]
        assert read.body_c is None or 1 <= read.body_c < 100


def streamed(frame: Frame[Any], link: Callable[[int], Any], good: bytes, data: bytes) -> None:
    """A line that a streaming module should be at; its next frame is read whatever came before."""
    in_pieces(frame, data)
    connection = link(0)
    _sensible(connection.feed(data, 1))
    connection.health(5_000)
    assert connection.feed(bytes(frame.length) + good, 5_000)


def polled(link: Callable[[int], Poll], good: bytes, data: bytes) -> None:
    """A line that an asked module should be at: the same, once the line was quiet."""
    connection = link(0)
    assert connection.ask(0)
    for at in range(0, len(data), 5):
        _sensible(connection.feed(data[at : at + 5], 1))
    connection.health(5_000)
    now_ms = 5_000
    while not connection.ask(now_ms):
        now_ms += 50
        assert now_ms < 10_000
    assert connection.feed(good, now_ms)


def bus(data: bytes) -> None:
    """Six bytes are the two answers of an MLX90614."""
    link = mlx90614.Mlx90614Link(0)
    _sensible(link.take([data[:3], data[3:6]], 1))
    link.health(5_000)


def modbus_answer(data: bytes) -> None:
    """A frame of any length, also with a right sum."""
    for frame in (data, _with_crc(data)):
        try:
            modbus.decode(frame)
        except BadFrame:
            continue


def _with_crc(data: bytes) -> bytes:
    return data + modbus.FramerRTU.compute_CRC(data).to_bytes(2, "big")


CJMCU = cjmcu_90614.encode(36.5, 24.0)
GY_614V = gy_614v.encode(35.0, 24.0, 36.5)
GY_MCU90614 = gy_mcu90615.encode(36.5, 24.0)
PICTURE = gy_mcu90640.encode(gy_mcu90640.Picture([24.0] * 400 + [35.5] * 368, 26.0))
MLX90614 = mlx90614.encode(mlx90614.OBJECT, 36.5) + mlx90614.encode(mlx90614.AMBIENT, 24.0)


def _stream(name: str, frame: Frame[Any], link: Callable[[int], Any], good: bytes) -> Target:
    return Target(name, partial(streamed, frame, link, good), lambda: [good * 2, good[:1] + good + good[:5]])


def _poll(name: str, link: Callable[[int], Poll], good: bytes) -> Target:
    return Target(name, partial(polled, link, good), lambda: [good, good[:3] + good, good * 2])


TARGETS = (
    _stream("gy-mcu90614", gy_mcu90615.M90614.stream, gy_mcu90615.GyMcu90614Link, GY_MCU90614),
    _stream("cjmcu-90614", cjmcu_90614.FRAME.stream, cjmcu_90614.Cjmcu90614Link, CJMCU),
    _stream("gy-614v", gy_614v.FRAME.stream, gy_614v.Gy614vLink, GY_614V),
    _stream("thermal-camera", gy_mcu90640.FRAME, gy_mcu90640.GyMcu90640Link, PICTURE),
    _poll("gd60914", partial(gd60914.Gd60914Link, room_c=24.0), GD_ANSWER),
    _poll("modbus", partial(modbus.ModbusLink, registers=ONE_REGISTER), MODBUS_ANSWER),
    Target("modbus-answer", modbus_answer, lambda: [MODBUS_ANSWER, MODBUS_ANSWER[:-2], b"\x01\x84\x02"]),
    Target("mlx90614", bus, lambda: [MLX90614, bytes(6), b"\xff" * 6]),
)
