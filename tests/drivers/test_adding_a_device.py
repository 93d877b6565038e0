"""docs/adding-a-device.md, run: what it says is done in a copy of the project, and whatever is made of a model is there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "adding-a-device.md"
COPIED = ("central", "config", "docs", "drivers", "gateway", "menshen", "sync", "tests")
WALKS = (
    "tests/drivers/test_catalogue.py",
    "tests/drivers/test_walk.py",
    "tests/drivers/test_every_serial_model.py",
    "tests/drivers/test_probing.py",
    "tests/drivers/simulators/test_standalone.py",
    "tests/fuzz/test_targets.py",
    "tests/gateway/config/test_hardware_page.py",
    "tests/gateway/config/test_documents.py",
)
"""Those of them that are of every model, with its name in their id; and those of all of them together."""
ASKED = "ex-9 or transcripts_are or importing_the_catalogue or the_reference or models_have_neither"


def blocks() -> dict[str, str]:
    """The page's code, by the file that its first line names."""
    found = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return {file: code.removeprefix("\n") for file, code in found}


def put_in(file: Path, behind: str, row: str) -> None:
    """A row behind the line that ends so."""
    text = file.read_text("utf-8")
    assert text.count(behind) == 1, f"{file} has no one place that says {behind!r}"
    file.write_text(text.replace(behind, f"{behind}{row}"), "utf-8")


def run(folder: Path, *words: str) -> str:
    """Python in the copy; what it said. Fails with that, where it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, f"{words}:\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with an EX-9."""
    folder = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    row_of_transcripts = "tests/drivers/transcripts.py"
    for file, code in blocks().items():
        if file != row_of_transcripts:
            assert not (folder / file).exists(), f"{file} is there already"
            (folder / file).write_text(code, "utf-8")
    put_in(folder / row_of_transcripts, "ROWS: Final[dict[str, Transcript]] = {\n", blocks()[row_of_transcripts])
    put_in(folder / "drivers/catalogue.py", "    by_name(\n", "        EX9,\n")
    put_in(
        folder / "drivers/catalogue.py",
        "from drivers.models.cjmcu_90614 import CJMCU_90614\n",
        "from drivers.models.ex9 import EX9\n",
    )
    run(folder, "-m", "gateway.docs")
    return folder


def test_every_walk_over_all_models_walks_over_it(copy: Path) -> None:
    """Minutes of a person's work in some seconds: what all of this is for."""
    told = run(copy, "-m", "pytest", "-rp", "-p", "no:cacheprovider", "-k", ASKED, *WALKS)
    for walk in WALKS:
        assert re.search(rf"PASSED {walk}::\w+\[(simulated-)?ex-9\]", told), f"{walk} has no test of it: {told[-3000:]}"


def test_the_pages_and_lists_have_it(copy: Path) -> None:
    assert "### ex-9\n" in (copy / "docs/hardware.md").read_text("utf-8")
    reference = (copy / "docs/configuration.md").read_text("utf-8")
    assert (
        '### model = "ex-9" (thermometer)\n\nAn infrared thermometer EX-9 on a serial port. 9600 baud.\n' in reference
    )
    assert '### model = "simulated-ex-9" (thermometer)\n' in reference
    assert "ex-9" in run(copy, "-m", "menshen", "devices", "models", "ex-9")


def test_its_code_is_as_all_of_it_is(copy: Path) -> None:
    files = [file for file in blocks() if (copy / file).suffix == ".py"]
    assert len(files) == 4
    run(copy, "-m", "ruff", "check", "--no-cache", *files, "drivers/catalogue.py")
    run(copy, "-m", "ruff", "format", "--check", "--no-cache", *files)


def test_the_files_that_the_page_names_are_there(copy: Path) -> None:
    named = set(re.findall(r"`((?:drivers|tests|docs|config)/[a-z0-9_./]+)`", PAGE.read_text("utf-8")))
    assert len(named) >= 12
    assert [name for name in sorted(named) if not (copy / name).exists()] == []
