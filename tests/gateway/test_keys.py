"""The gate's own secrets."""

import stat
from pathlib import Path

import pytest

from gateway.errors import GatewayError
from gateway.keys import HASH_KEY_BYTES, hash_key


def test_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    key = hash_key(tmp_path)
    assert len(key) == HASH_KEY_BYTES
    assert hash_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "hash-key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["hash-key"]


def test_two_gates_have_two_keys(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert hash_key(tmp_path / "a") != hash_key(tmp_path / "b")


def test_a_cut_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hash-key").write_bytes(b"short")
    with pytest.raises(GatewayError, match="has 5 bytes where 32 are needed"):
        hash_key(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match="cannot be made or read"):
        hash_key(tmp_path / "nowhere")
