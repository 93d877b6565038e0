"""A broker's address as people write it."""

import re
from typing import Final

_ADDRESS: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/@\[\]\"'\\\x00-\x1f]+))(?::(\d{1,5}))?")


def parse_address(text: str, port: int) -> tuple[str, int]:
    """`HOST`, `HOST:PORT`, `[IPv6]` or `[IPv6]:PORT`; without a port it is `port`. Raises ValueError."""
    match = _ADDRESS.fullmatch(text)
    if match is None or not 0 < int(match[3] or port) < 65536:
        raise ValueError(f"{text!r} is not HOST or HOST:PORT")
    return match[1] or match[2], int(match[3] or port)
