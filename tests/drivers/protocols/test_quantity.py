"""The one codec of temperatures."""

import struct
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadFrame, WrongUse
from drivers.protocols.quantity import Quantity

HUNDREDTHS = Quantity(-40, 115)
LITTLE = Quantity(-40, 115, order="little")
KELVIN = Quantity(-70, 382, 50.0, -273.15, order="little", signed=False)
TENTHS_FROM_100 = Quantity(-100, 900, 10.0, -100.0, signed=False)
FLOAT = Quantity(-40, 300, 1.0, size=4, is_float=True)
ALL = [HUNDREDTHS, LITTLE, KELVIN, TENTHS_FROM_100, FLOAT]


@pytest.mark.parametrize(
    ("quantity", "raw", "celsius"),
    [
        (HUNDREDTHS, "0E 47", 36.55),  # hardware notes 1.1
        (HUNDREDTHS, "FE 0C", -5.00),
        (LITTLE, "B8 0B", 30.00),  # hardware notes 1.4
        (KELVIN, "80 3C", 36.61),  # hardware notes 1.8: raw 3C80
        (KELVIN, "D2 3A", 28.01),
        (TENTHS_FROM_100, "04 D3", 23.5),  # hardware notes 1.7: Optris, (word - 1000) / 10
        (TENTHS_FROM_100, "05 56", 36.6),
        (FLOAT, "42 12 66 66", 36.6),
    ],
)
def test_the_notes_numbers(quantity: Quantity, raw: str, celsius: float) -> None:
    assert quantity.decode(bytes.fromhex(raw)) == celsius
    assert quantity.encode(celsius) == bytes.fromhex(raw)


@pytest.mark.parametrize("quantity", ALL)
@given(data=st.binary(max_size=6))
def test_any_bytes_are_a_number_that_comes_back_or_our_own_error(quantity: Quantity, data: bytes) -> None:
    try:
        celsius = quantity.decode(data)
    except BadFrame:
        assert len(data) != quantity.size or quantity.is_float
        return
    if not quantity.is_float:
        assert quantity.encode(celsius) == data
        assert quantity.least <= celsius <= quantity.most


@pytest.mark.parametrize("number", [inf, -inf, nan])
def test_what_is_no_number_is_refused_both_ways(number: float) -> None:
    with pytest.raises(BadFrame):
        FLOAT.decode(struct.pack(">f", number))
    for quantity in ALL:
        with pytest.raises(WrongUse):
            quantity.encode(number)


def test_what_the_bytes_cannot_hold_is_refused_with_what_they_can() -> None:
    with pytest.raises(WrongUse, match=r"-327\.68 to 327\.67"):
        HUNDREDTHS.encode(327.68)
    with pytest.raises(WrongUse, match=r"-273\.15 to 1037\.55"):
        KELVIN.encode(-274)
    with pytest.raises(WrongUse):
        FLOAT.encode(1e39)


def test_what_the_sensor_can_measure_is_a_range_of_its_own() -> None:
    assert HUNDREDTHS.holds(-40)
    assert HUNDREDTHS.holds(115)
    assert not HUNDREDTHS.holds(115.01)
    assert not HUNDREDTHS.holds(nan)
