"""The office's folder and what is kept in it beside the database."""

import os
import secrets
from pathlib import Path


def office_dir() -> Path:
    """The data folder (`MENSHEN_OFFICE_DIR`, else `var/office` below the current directory). Not created here."""
    return Path(os.environ.get("MENSHEN_OFFICE_DIR") or "var/office").resolve()


def prepare_office_dir() -> Path:
    """The data folder, created (mode 0700) where it does not exist."""
    folder = office_dir()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def secret_key() -> str:
    """The key that signs sessions: generated once into the data folder, readable by its owner alone."""
    path = prepare_office_dir() / "secret-key"
    if not path.exists():
        _create_once(path, secrets.token_urlsafe(64))
    return path.read_text("ascii").strip()


def _create_once(path: Path, text: str) -> None:
    # Written aside and linked: another process never reads half a key, and the first one to link wins.
    aside = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(aside)
    except FileExistsError:
        return
    finally:
        aside.unlink()
