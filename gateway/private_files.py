"""Small files of the data folder that nobody else may read."""

import os
from contextlib import suppress
from pathlib import Path


def write_private(path: Path, data: bytes) -> None:
    """Replace the file, whole or not at all, on disk when this returns; only its owner may read it, who is the folder's. Raises OSError."""
    new = path.with_name(f".{path.name}.new")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        new.unlink()
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())
    owner = path.parent.stat()
    if os.geteuid() == 0:  # root sets it up, the gate runs as somebody else
        os.chown(new, owner.st_uid, owner.st_gid)
    new.replace(path)
