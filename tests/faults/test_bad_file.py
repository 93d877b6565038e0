"""A gate whose file cannot be used does not start, and says where to look."""

import subprocess
from pathlib import Path

import pytest

from menshen.demo.processes import menshen

MALFORMED = '[gate]\nid = "north"\nsite = "garden\n'
UNKNOWN = '[gate]\nid = "north"\nsiet = "garden"\ndata_dir = "{folder}/data"\n[broker]\nhost = "127.0.0.1"\n'


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [(MALFORMED, 3, ""), (UNKNOWN, 3, "site"), (None, None, "does not exist"), ("\0\x01", 1, "")],
)
def test_it_ends_with_2_and_file_and_line(tmp_path: Path, text: str | None, line: int | None, complaint: str) -> None:
    path = tmp_path / "gate.toml"
    if text is not None:
        path.write_text(text.format(folder=tmp_path))
    command = menshen("gate", "run", "--config", str(path), "--feed")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert (f"{path}:{line}" if line else str(path)) in done.stderr
    assert complaint in done.stderr
    assert (done.stdout, "Traceback" in done.stderr) == ("", False)
    assert not (tmp_path / "data").exists()
