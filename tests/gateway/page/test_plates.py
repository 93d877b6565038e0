"""The plate in what codes say."""

import json
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.page import messages
from gateway.page.plates import LONGEST, plate_of, text_of
from sync.contract.text import harmless

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
LETTERS, SERIAL = "ABCDEFGHJKLMNPQRSTUVWXYZ", "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
serials = st.one_of(
    st.text(SERIAL, min_size=5, max_size=6),
    st.builds("".join, st.tuples(st.text(SERIAL, min_size=4, max_size=4), st.sampled_from("学警港澳挂领使"))),
)
chinese = st.tuples(st.sampled_from(PROVINCES), st.sampled_from(LETTERS), serials)


@pytest.mark.parametrize(
    ("text", "plate"),
    [
        ("粤B12345", "粤B12345"), (" 粤B·12345\n", "粤B12345"), ("粤B•12345", "粤B12345"), ("粤B 12345", "粤B12345"),
        ("粤b1234f", "粤B1234F"), ("粤Ｂ·１２３４５", "粤B12345"), ("京AD12345", "京AD12345"), ("京A12345D", "京A12345D"),
        ("粤Z·1234港", "粤Z1234港"), ("粤Z1234澳", "粤Z1234澳"), ("京A1234学", "京A1234学"), ("川A·1234警", "川A1234警"),
        ("鲁B1234挂", "鲁B1234挂"), ("沪A1234领", "沪A1234领"), ("京A1234使", "京A1234使"),
        ("车牌:粤B·12345", "粤B12345"), ("车牌：沪A12345，货主：王", "沪A12345"), ("第一辆粤B12345，第二辆京A54321", "粤B12345"),
        ("https://permit.example/p?id=7&plate=%E7%B2%A4B12345&day=1", "粤B12345"),
        ("https://permit.example/p?plate=粤B+12345", "粤B12345"),
        ('{"no": 17, "plate": "\\u7ca4B\\u00b712345"}', "粤B12345"), ('{"车牌":"粤B12345","公司":"东方运输有限公司"}', "粤B12345"),
        ("M-AB 1234", "M-AB 1234"), ("AB12 CDE", "AB12 CDE"), ("1234567890123456", "1234567890123456"),
        # none
        ("", ""), (" \n", ""), ("12345678901234567", ""), ("粤B1234567 is no plate", ""), ("https://permit.example/p?id=7", ""),
        ("AB\x1b[31m12", ""), ("AB\n12", ""), ("AB\u202e21", ""), ("----", ""), ("\ud800AB", ""), ("粤B1234 is too short", ""),
        ("MP1:" + "A" * 200, ""), ("B12345" * 4, ""),
    ],
)  # fmt: skip
def test_a_code_gives_this_plate(text: str, plate: str) -> None:
    assert plate_of([text]) == plate


@pytest.mark.parametrize(
    ("texts", "plate"),
    [
        ([], ""), (["https://permit.example/7", "粤B12345"], "粤B12345"), (["JDV001234567", "车牌 粤B12345"], "粤B12345"),
        (["x" * 20, "AB 123", "CD 456"], "AB 123"), (["沪A12345", "粤B12345"], "沪A12345"), (["x" * 20, "\x00"], ""),
    ],
)  # fmt: skip
def test_of_several_codes_one_that_yields_a_plate(texts: list[str], plate: str) -> None:
    assert plate_of(texts) == plate


@given(
    chinese,
    st.sampled_from(["", "·", " ", "•", "-"]),
    st.booleans(),
    st.sampled_from(["{}", "车牌:{}", "/p?n={}&x=1", "json"]),
)
def test_every_chinese_plate_is_found_wherever_it_stands(
    parts: tuple[str, str, str], dot: str, small: bool, around: str
) -> None:
    province, letter, serial = parts
    written = f"{province}{letter}{dot}{serial}"
    written = written.lower() if small else written
    text = json.dumps({"plate": written}) if around == "json" else around.format(written)
    assert plate_of([text]) == province + letter + serial
    assert plate_of([quote(text)]) == province + letter + serial


@given(st.lists(st.one_of(st.text(), st.binary().map(text_of), st.text("粤B·12345 %u\\\n", max_size=40)), max_size=4))
def test_whatever_codes_say_a_plate_is_one_that_the_form_takes_as_it_stands(texts: list[str]) -> None:
    plate = plate_of(texts)
    assert plate == plate.strip() and len(plate) <= LONGEST and harmless(plate) == plate
    if plate:
        assert msgspec.convert({"type": "vehicle", "plate": plate}, messages.Vehicle).plate == plate
        assert plate_of([plate]) == plate


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "gb18030"])
def test_a_code_is_read_as_chinese_programs_write_it(encoding: str) -> None:
    assert text_of("粤B·12345".encode(encoding)) == "粤B·12345"


def test_bytes_that_are_no_text_say_nothing() -> None:
    assert text_of(b"\xff\xff\xff") == ""
