"""Files from the outside, each wrong in its own way."""

from pathlib import Path

import pytest

from gateway.config import ConfigError, check
from gateway.config.source import MAX_BYTES, read_source


def refused(path: Path) -> tuple[int, str]:
    with pytest.raises(ConfigError) as caught:
        read_source(path)
    (problem,) = caught.value.problems
    assert problem.file == str(path)
    return problem.line, problem.text


@pytest.mark.parametrize(
    ("data", "line", "text"),
    [
        (b"[gate\nid = 1\n", 1, "not TOML"),
        (b"[gate]\nid = \n", 2, "not TOML"),
        (b'[gate]\nid = "x\n', 2, "not TOML"),
        (b'[gate]\nid = """x\n\n', 4, "at the end of the file"),
        (b"[gate]\nid = 1\nid = 2\n", 3, "not TOML"),
        (b'[gate]\nname = "caf\xe9"\n', 2, "0xe9 is not UTF-8"),
        (b"\xff\xfe[\0g\0", 1, "not UTF-8"),
        (b"\xef\xbb\xbf[gate]\n", 1, "byte order mark"),
        (b"[gate]\n\0\n", 2, "NUL"),
        (b"x = " + b"9" * 5000, 0, "not TOML"),
        (b"x = 2021-02-30\n", 1, "not TOML"),
        (b"x = " + b"[" * 100_000, 0, "nested too deeply"),
        (b"#" * (MAX_BYTES + 1), 0, "larger than 1 MB"),
    ],
)
def test_what_is_no_file_of_ours(tmp_path: Path, data: bytes, line: int, text: str) -> None:
    path = tmp_path / "gate.toml"
    path.write_bytes(data)
    found_line, found = refused(path)
    assert (found_line, text in found) == (line, True), found


def test_what_is_no_file_at_all(tmp_path: Path) -> None:
    assert refused(tmp_path) == (0, "is not a file")
    assert refused(tmp_path / "nothing") == (0, "does not exist")
    assert refused(Path("/dev/zero")) == (0, "is not a file")
    assert "exist" in refused(tmp_path / "a\0b")[1] or "null" in refused(tmp_path / "a\0b")[1]


def test_a_file_with_no_end_of_wrong_keys_is_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text("[policy.portal]\n" + "".join(f"key_{number} = 1\n" for number in range(30_000)))
    *told, last = check(path, {})
    assert len(told) == 200
    assert str(last).startswith(f"{path}: and 29")


def test_an_empty_file_lacks_what_is_required(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text("")
    keys = {problem.key for problem in check(path)}
    assert {"gate.id", "gate.site", "gate.data_dir", "broker.host"} <= keys
    assert all(str(problem).startswith(f"{path}: {problem.key}: ") for problem in check(path))
