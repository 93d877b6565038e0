"""A file that holds a secret and nothing else: a password, a token. What is in it is in no message."""

from pathlib import Path

from gateway.config.lines import KeyPath
from gateway.config.problems import Report

MAX_BYTES = 4096


def read_secret(file: Path, path: KeyPath, report: Report) -> str | None:
    """The one line in it; None when there is none such, which is reported at `path`, but for a file that is not there: that
    is said by whoever looks whether files are there."""
    if not file.is_file():
        return None
    try:
        with file.open("rb") as opened:
            secret = opened.read(MAX_BYTES + 1).decode("utf-8").rstrip("\r\n")
    except OSError as error:
        report.add(path, f"{file} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        report.add(path, f"{file} is not UTF-8 text")
    else:
        if 0 < len(secret.encode()) <= MAX_BYTES and "\0" not in secret and "\n" not in secret:
            return secret
        report.add(path, f"{file} must hold one line of at most {MAX_BYTES} bytes")
    return None
