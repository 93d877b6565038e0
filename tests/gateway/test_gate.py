"""A gate put together: what it does about a directory that it cannot use."""

from pathlib import Path

import pytest

from gateway.core.events import DeviceChanged, Event
from gateway.directory import Directory, DirectoryFile
from gateway.errors import DirectoryError
from gateway.parts import directory_of
from sync.contract.alarms import AlarmKind
from tests.gateway.core.acting import Gate


def test_a_directory_out_of_reach_is_a_lost_device_until_it_works_again(tmp_path: Path) -> None:
    path, posted = tmp_path / "directory.sqlite", list[Event]()
    path.mkdir()
    directory = directory_of(path, posted.append)
    with pytest.raises(DirectoryError):
        directory.card("000414CD7E")
    assert posted == [DeviceChanged("directory", "lost", "cannot be opened: unable to open database file")]
    gate = Gate()
    gate.send(*posted)
    assert gate.open_alarms == [AlarmKind.DEVICE_LOST]
    path.rmdir()
    assert directory.card("000414CD7E") is None
    assert posted[1:] == [DeviceChanged("directory", "ok")]
    gate.send(*posted[1:])
    assert gate.open_alarms == []


def test_a_damaged_directory_is_a_lost_device_until_it_is_loaded_again(tmp_path: Path) -> None:
    path, posted = tmp_path / "directory.sqlite", list[Event]()
    path.write_bytes(b"no database at all" * 100)
    directory = directory_of(path, posted.append)
    assert directory.version == 0
    (lost,) = posted
    assert isinstance(lost, DeviceChanged) and (lost.device, lost.state) == ("directory", "lost")
    assert "directory.sqlite.damaged-1" in lost.detail
    Directory(path).replace(DirectoryFile(version=3))
    assert directory.version == 3
    assert posted[1:] == [DeviceChanged("directory", "ok")]
