"""Who is on duty at a post: a small file, so that it outlives a restart, and any terminal can say it."""

import os
import secrets
from pathlib import Path
from typing import Final

from gateway.errors import GatewayError
from sync.contract.text import harmless

LONGEST: Final = 64  # characters, as a command has room for


def guard_on_duty(file: Path) -> str:
    """Their name; "" when nobody has said. Never raises: the button works without."""
    try:
        with file.open("rb") as opened:
            return harmless(opened.read(4 * LONGEST).decode("utf-8", "replace").strip(), LONGEST)
    except OSError:
        return ""


def begin_shift(file: Path, name: str) -> None:
    """From now on it is `name`; "": nobody. Raises GatewayError."""
    aside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside.write_text(f"{harmless(name.strip(), LONGEST)}\n", "utf-8")
        os.replace(aside, file)  # noqa: PTH105  a power cut leaves the old name or the new one
    except OSError as error:
        raise GatewayError(f"{file}: cannot be written: {error.strerror}") from error
