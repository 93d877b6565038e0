"""Numbers in Hanzi."""

import pytest

from gateway.voice.hanzi import numbers_in_hanzi


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("36.5", "三十六点五"),
        ("体温37.05度", "体温三十七点零五度"),
        ("0", "零"),
        ("10", "十"),
        ("11", "十一"),
        ("20", "二十"),
        ("40.0", "四十点零"),
        ("100", "一百"),
        ("105", "一百零五"),
        ("110", "一百一十"),
        ("1001", "一千零一"),
        ("2020", "二千零二十"),
        ("9999", "九千九百九十九"),
        ("12345", "一二三四五"),
        ("007", "七"),
        ("-3.5", "负三点五"),
        ("3个人，12次", "三个人，十二次"),
        ("无", "无"),
        ("", ""),
    ],
)
def test_numbers(text: str, written: str) -> None:
    assert numbers_in_hanzi(text) == written
