"""The options of every command that goes to the broker, and the rule that nothing goes there in the clear by accident."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from sync.tls import OFFICE_PORT, PLAIN_PORT, TlsFiles, in_the_clear

R = TypeVar("R")
PASSWORD_VARIABLE: Final = "MENSHEN_BROKER_PASSWORD"  # noqa: S105  the variable's name
_FILE: Final = click.Path(path_type=Path)
_OPTIONS: Final = (
    click.option("--broker", required=True, metavar="HOST", help="The MQTT broker."),
    click.option(
        "--port",
        type=click.IntRange(1, 65535),
        help=f"Its port; default: {OFFICE_PORT}, the office's own, with --ca-file, else {PLAIN_PORT}.",
    ),
    click.option("--ca-file", metavar="FILE", type=_FILE, help="Certificate of the broker's authority: use TLS."),
    click.option(
        "--certificate-file", metavar="FILE", type=_FILE, help="What is shown to it: a certificate of one's own,"
    ),
    click.option("--key-file", metavar="FILE", type=_FILE, help="and its key."),
    click.option("--user", "username", metavar="NAME", help="User name at the broker."),
    click.option(
        "--password-file",
        metavar="FILE",
        type=_FILE,
        help=f"A file whose first line is the password; without it, {PASSWORD_VARIABLE} of the environment is.",
    ),
    click.option(
        "--plaintext", is_flag=True, help="Go to another machine without TLS, readable to anybody on the way."
    ),
)
_OPTIONAL: Final = (
    click.option(
        "--broker", metavar="HOST", help="The MQTT broker, to send commands from the pages; without one they send none."
    ),
    click.option(
        "--broker-port", type=click.IntRange(1, 65535), help="Its port; default: as the office's own programs'."
    ),
)
_GIVEN: Final = frozenset({"ca_file", "certificate_file", "key_file", "username", "password_file", "plaintext"})
_Option = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where it is, and how one comes in."""

    host: str
    port: int
    tls: TlsFiles | None
    username: str | None
    password: str | None = field(repr=False)


def with_broker(command: Callable[..., R]) -> Callable[..., R]:
    """Give the command these options, and hand it one `broker`. Raises click's errors for what cannot be meant."""

    @wraps(command)
    def run(*args: Any, broker: str, port: int | None, **others: Any) -> R:
        given, rest = _divided(others)
        return command(*args, broker=_broker(broker, port, **given), **rest)

    return _with_options(run, _OPTIONS)


def with_optional_broker(command: Callable[..., R]) -> Callable[..., R]:
    """The same for a command that does without, and that listens at a --port of its own: `broker` may be None."""

    @wraps(command)
    def run(*args: Any, broker: str | None, broker_port: int | None, **others: Any) -> R:
        given, rest = _divided(others)
        if broker is None:
            if broker_port or any(given.values()):
                raise click.UsageError("how to come to a broker, and no --broker HOST")
            return command(*args, broker=None, **rest)
        return command(*args, broker=_broker(broker, broker_port, **given), **rest)

    return _with_options(run, (*_OPTIONAL, *_OPTIONS[2:]))


def _with_options(command: Callable[..., R], options: Sequence[_Option]) -> Callable[..., R]:
    for option in reversed(options):
        command = option(command)
    return command


def _divided(others: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """How to come to the broker, and the command's own options."""
    return {name: others[name] for name in _GIVEN}, {name: others[name] for name in others.keys() - _GIVEN}


def _broker(  # each is an option of its own
    host: str,
    port: int | None,
    *,
    ca_file: Path | None,
    certificate_file: Path | None,
    key_file: Path | None,
    username: str | None,
    password_file: Path | None,
    plaintext: bool,
) -> Broker:
    tls = _tls(ca_file, certificate_file, key_file)
    port = port or (OFFICE_PORT if tls else PLAIN_PORT)
    _refuse_accidents(host, port, tls, plaintext=plaintext)
    return Broker(host=host, port=port, tls=tls, username=username, password=_password(username, password_file))


def _tls(ca_file: Path | None, certificate_file: Path | None, key_file: Path | None) -> TlsFiles | None:
    if ca_file is None:
        if certificate_file or key_file:
            raise click.UsageError(
                "--certificate-file and --key-file are of no use without --ca-file, which turns TLS on"
            )
        return None
    return TlsFiles(ca_file=ca_file, certificate_file=certificate_file, key_file=key_file)


def _refuse_accidents(host: str, port: int, tls: TlsFiles | None, *, plaintext: bool) -> None:
    if tls is not None:
        if plaintext:
            raise click.UsageError("--plaintext and --ca-file, which turns TLS on: one of the two")
        return
    wrong = "" if plaintext else in_the_clear(host, port)
    if wrong:
        raise click.UsageError(f"{wrong}: give --ca-file; or, if this is meant, --plaintext")


def _password(username: str | None, file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(PASSWORD_VARIABLE) if username is not None else None
    if username is None:
        raise click.UsageError("--password-file needs --user NAME")
    try:
        return file.read_text("utf-8").partition("\n")[0].strip()
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file}: a password is text in UTF-8: {error}") from error
    except OSError as error:
        raise click.ClickException(f"{file}: cannot be read: {error.strerror}") from error
