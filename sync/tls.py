"""TLS as both ends of the road have it: what is believed of the other end, and what is shown to it.

Never plaintext by accident: who is given an authority speaks TLS or not at all, and who is given none says so aloud before a
word leaves this machine (`in_the_clear`).
"""

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sync.errors import SyncError

PORT: Final = 8883  # secure-mqtt in IANA's list
OFFICE_PORT: Final = 8884  # of the same broker, for the office's own programs (config/mosquitto/)
PLAIN_PORT: Final = 1883
OPEN_TO_OTHERS: Final = 0o037  # of a key's mode: everything but its owner's, and a group that may read it
_NO_CHECK_TIME: Final = ssl.VerifyFlags(0x200000)  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL 1.1.0 and later


class TlsFileError(SyncError, OSError):
    """A file of certificates or keys cannot be used. `key`: the field of `TlsFiles` that names it."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Who may have signed the other end's certificate (PEM, with the key identifiers of RFC 5280), and what this end shows:
    its certificate (PEM, others of its chain behind it) and its key (PEM, not encrypted), both or neither.

    Without `ca_file` the system's authorities are believed."""

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None


def client_context(files: TlsFiles, *, check_dates: bool = True) -> ssl.SSLContext:
    """TLS 1.2 or better; the server's certificate is checked with its authority and its name, and with its dates unless this
    machine doesn't know the time. Raises TlsFileError."""
    context = _believing(files.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not check_dates:
        context.verify_flags |= _NO_CHECK_TIME
    if files.key_file is not None:
        _refuse_open_key(files.key_file)
    if files.certificate_file is not None:
        _show(context, files.certificate_file, files.key_file)
    elif files.key_file is not None:
        raise TlsFileError("key_file", f"{files.key_file} is a key without a certificate: name it in certificate_file")
    return context


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 or better, for whoever comes. Raises TlsFileError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _refuse_open_key(key)
    _show(context, certificate, key)
    return context


def is_loopback(host: str) -> bool:
    """Whether what is sent there stays on this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def in_the_clear(host: str, port: int) -> str:
    """What is wrong with going there without TLS; "" when nothing is."""
    if port in (PORT, OFFICE_PORT):
        return f"{port} is the port of MQTT over TLS, and no authority is named that the broker is known by"
    if not is_loopback(host):
        return f"without TLS anybody on the way to {host} could read and change everything"
    return ""


def _believing(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise TlsFileError("ca_file", f"{ca_file} holds no certificates in PEM ({_words(error)})") from error


def _show(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    try:
        # a password that is no password: else an encrypted key would be asked for at the terminal
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        text = f"{certificate} and its key cannot be used together ({_words(error)})"
        raise TlsFileError("certificate_file", text) from error


def _refuse_open_key(file: Path) -> None:
    try:
        mode = file.stat().st_mode & 0o777
    except OSError as error:
        raise TlsFileError("key_file", f"{file}: {error.strerror}") from error
    if mode & OPEN_TO_OTHERS:
        text = f"{file} can be read or changed by others (mode {mode:04o}): chmod 600, or 640 for a service's group"
        raise TlsFileError("key_file", text)


def _words(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error) or type(error).__name__
