"""A pass as a QR. The level of error correction was chosen by measurement: `bench/pass_qr.py`, docs/passes.md."""

import io
from pathlib import Path
from typing import Final

import segno

LEVEL: Final = "q"
BORDER: Final = 4  # modules, ISO/IEC 18004, section 9.1
MODULE_MM: Final = 0.6  # on paper
_MODULE_PX: Final = 8


def draw(text: str, level: str = LEVEL) -> segno.QRCode:
    """The QR of a text in alphanumeric mode, with exactly this level of error correction."""
    return segno.make_qr(text, error=level, mode="alphanumeric", boost_error=False)


def describe(code: segno.QRCode) -> str:
    """Its version, level and size, for people."""
    modules = code.symbol_size(border=0)[0]
    return f"QR version {code.version}-{code.error}, {modules} × {modules} modules"


def save_png(code: segno.QRCode, path: Path) -> None:
    """One bit a pixel; printed at its own resolution, a module is `MODULE_MM` wide. Raises OSError."""
    dpi = round(_MODULE_PX / MODULE_MM * 25.4)
    with path.open("wb") as file:
        code.save(file, kind="png", scale=_MODULE_PX, border=BORDER, dpi=dpi)


def save_svg(code: segno.QRCode, path: Path) -> None:
    """A module is `MODULE_MM` wide. Raises OSError."""
    with path.open("wb") as file:
        code.save(file, kind="svg", scale=MODULE_MM, border=BORDER, unit="mm", light="white")


def terminal(code: segno.QRCode) -> str:
    """For a terminal with dark background: half blocks, two modules a character."""
    out = io.StringIO()
    code.terminal(out, border=BORDER, compact=True)
    return out.getvalue().rstrip("\n")
