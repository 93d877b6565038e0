"""The tablets that go on showing the gate while nobody is logged in: a file of their tokens' hashes and of who gave his PIN there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from gateway.errors import GatewayError
from gateway.page.access import MOST_OF_TABLET, MOST_TABLETS
from gateway.private_files import write_private

MAX_BYTES: Final = 1024 * 1024
Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Name = Annotated[str, Meta(min_length=1, max_length=64)]


class TabletsError(GatewayError):
    """The file of the tablets cannot be read or written."""


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By the hash of its token, which guards have logged in there by PIN, and the mark of that PIN; the oldest tablet first."""

    tablets: Annotated[
        dict[Hash, Annotated[dict[Name, Hash], Meta(max_length=MOST_OF_TABLET)]], Meta(max_length=MOST_TABLETS)
    ]


def file_in(data_dir: Path) -> Path:
    """Where they are kept."""
    return data_dir / "tablets.json"


def read_tablets(path: Path) -> Mapping[str, Mapping[str, str]]:
    """All of them; none where there is no file. Raises TabletsError."""
    try:
        with path.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
        return msgspec.json.decode(data, type=_File).tablets
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise TabletsError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TabletsError(
            f"{path}: is no file of tablets: {error}; it is made anew when somebody logs in by PIN"
        ) from error


def write_tablets(path: Path, tablets: Mapping[str, Mapping[str, str]]) -> None:
    """Replace the file. Raises TabletsError."""
    try:
        write_private(path, msgspec.json.encode({"tablets": tablets}))
    except OSError as error:
        raise TabletsError(f"{path}: cannot be written: {error.strerror}") from error
