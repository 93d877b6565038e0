"""A page's own certificate, as a browser's TLS takes it."""

import socket
import ssl
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.commands import gate
from sync.tls import server_context


def made(folder: Path, *hosts: str) -> tuple[int, str]:
    words = ["page-certificate", "--out", str(folder)] + [word for host in hosts for word in ("--host", host)]
    done = CliRunner().invoke(gate, words)
    return done.exit_code, done.output


def shake_hands(folder: Path, name: str) -> str:
    """ "" when a client that believes this certificate alone takes it for `name`, else why not."""
    ours, theirs = socket.socketpair()
    server = server_context(folder / "page.pem", folder / "page.key")

    def serve() -> None:
        try:
            server.wrap_socket(ours, server_side=True).close()
        except OSError:
            ours.close()

    thread = threading.Thread(target=serve)
    thread.start()
    client = ssl.create_default_context(cafile=str(folder / "page.pem"))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    try:
        client.wrap_socket(theirs, server_hostname=name).close()
    except ssl.SSLError as error:
        theirs.close()
        return str(error)
    finally:
        thread.join(10)
    return ""


def test_its_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    assert made(tmp_path / "new" / "page", "localhost")[0] == 0
    assert shake_hands(tmp_path / "new" / "page", "localhost") == ""


def test_it_is_good_for_its_hosts_and_no_other(tmp_path: Path) -> None:
    code, words = made(tmp_path, "127.0.0.1", "east-gate.local")
    assert code == 0, words
    assert words.rstrip().count(":") > 31
    assert (tmp_path / "page.key").stat().st_mode & 0o077 == 0
    assert shake_hands(tmp_path, "127.0.0.1") == ""
    assert shake_hands(tmp_path, "east-gate.local") == ""
    assert "mismatch" in shake_hands(tmp_path, "office.example")


def test_nothing_is_replaced(tmp_path: Path) -> None:
    made(tmp_path, "127.0.0.1")
    before = (tmp_path / "page.pem").read_bytes()
    code, words = made(tmp_path, "127.0.0.1")
    assert code == 1
    assert "File exists" in words
    assert (tmp_path / "page.pem").read_bytes() == before


@pytest.mark.parametrize("host", ["", "a b", "门.local", "https://x", "x/y", "-a"])
def test_a_host_that_is_none(tmp_path: Path, host: str) -> None:
    code, words = made(tmp_path, host)
    assert code == 1
    assert "neither a host's name nor an address" in words
    assert list(tmp_path.iterdir()) == []
