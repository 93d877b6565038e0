"""`menshen demo` as a new user runs it: the whole of it, in processes of its own."""

import csv
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

ROOT = Path(__file__).resolve().parents[2]
PHOTOGRAPHS = ROOT.parent / "shared" / "data" / "qr"


def demo(folder: Path, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the demo to its end."""
    environment = {**os.environ, "LANG": "C.UTF-8"} | ({"PATH": path} if path is not None else {})
    command = [sys.executable, "-m", "menshen", "demo", "--data", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def last_line(output: str) -> dict[str, float]:
    """The tally."""
    answer: dict[str, float] = json.loads(output.strip().splitlines()[-1])
    return answer


FORENOON = ("A recent returnee", "temperature  normal", "pass on the phone", "screenshot", "EU certificate")
THE_REST = ("door forced", "night arrival", "unknown key", "fever", "SMART Health Card")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("visits", [6, 16])
def test_visits_to_an_exit(tmp_path: Path, visits: int) -> None:
    done = demo(tmp_path, "--visits", str(visits), "--exit")
    assert done.returncode == 0, done.stdout + done.stderr
    tally = last_line(done.stdout)
    assert list(tally) == ["visits", "journal_records", "office_records", "missing", "duplicates", "wall_s"]
    assert tally["visits"] >= visits
    assert tally["missing"] == tally["duplicates"] == 0
    assert tally["journal_records"] == tally["office_records"] > tally["visits"]
    # the screen says when a scene came to another end than the scenario expects
    assert "expected" not in done.stdout
    told = FORENOON if visits == 6 else (*FORENOON, *THE_REST)
    for words in told:
        assert words.lower() in done.stdout.lower(), words


@pytest.mark.timeout(240)
def test_without_mosquitto_amqtt_carries_the_road(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = "import menshen.demo.broker as b; b.find_mosquitto = lambda: None; from menshen.cli import main; main()"
    command = [sys.executable, "-c", hidden, "demo", "--data", str(tmp_path), "--visits", "8", "--exit"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LANG": "C.UTF-8"}, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "amqtt" in done.stdout
    tally = last_line(done.stdout)
    assert tally["missing"] == tally["duplicates"] == 0


def reference(text: str, key: bytes) -> str:
    """How a gate refers to a text without keeping it (docs/design.md, rule 6)."""
    return hashlib.blake2s(text.encode(), key=key, digest_size=8).hexdigest()


@pytest.mark.timeout(240)
def test_photographs_go_all_the_way(tmp_path: Path) -> None:
    manifest = PHOTOGRAPHS / "MANIFEST.csv"
    if not manifest.exists():
        pytest.skip("the photographs beside the project are not here")
    with manifest.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] in ("boof-monitor", "jsqr")]
    texts = {text for row in rows for text in json.loads(row["expected_text"])}
    assert len(texts) >= 8, "the manifest has another form than expected"
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number, row in enumerate(rows):
        source = PHOTOGRAPHS / row["file"]
        shutil.copy(source, folder / f"{number}{source.suffix}")
    done = demo(tmp_path / "demo", "--camera", str(folder), "--exit")
    assert done.returncode == 0, done.stdout + done.stderr
    tally = last_line(done.stdout)
    assert tally["missing"] == tally["duplicates"] == 0
    assert done.stdout.count("✘ denied") >= len(texts), "every one is answered"
    key = (tmp_path / "demo" / "gate" / "hash-key").read_bytes()
    with closing(sqlite3.connect(tmp_path / "demo" / "office" / "office.sqlite3")) as office:
        shown = dict(office.execute("SELECT credential, outcome || ' ' || reasons FROM entries_entry").fetchall())
    # five that nobody knows lock the readers out for a minute: one more visit says so, and no other is begun meanwhile
    assert tally["visits"] >= 6
    assert set(shown) <= {reference(text, key) for text in texts}
    assert {answer.split()[0] for answer in shown.values()} == {"denied"}
    assert all("unknown-code" in answer for answer in shown.values())
    assert any("locked-out" in answer for answer in shown.values())


def test_exit_without_an_end_is_refused(tmp_path: Path) -> None:
    done = demo(tmp_path, "--exit")
    assert done.returncode == 2
    assert "--exit needs --visits" in done.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--camera", "{folder}/nothing"], "neither a folder of photographs nor a video file"),
        (["--camera", "{folder}"], "holds no photograph"),
        (["--broker", "host:abc"], "is not HOST or HOST:PORT"),
        (["--broker", "host:70000"], "is not HOST or HOST:PORT"),
        (["--port", "70000"], "70000 is not in the range"),
        (["--data", "/proc/nowhere"], "/proc/nowhere"),
    ],
)
def test_a_mistake_is_told_in_words(tmp_path: Path, options: list[str], told: str) -> None:
    arguments = [option.format(folder=tmp_path) for option in options]
    command = [sys.executable, "-m", "menshen", "demo", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LANG": "C.UTF-8"}, check=False)
    assert done.returncode == 2, done.stderr
    assert told in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_broker_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = demo(tmp_path, "--broker", "127.0.0.1:1")
    assert done.returncode == 1
    assert "no MQTT broker is reached at 127.0.0.1:1" in done.stderr


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """A demo that goes on, its address and one-time password."""
    # What a shell starts in the background has SIGINT ignored, and so would the demo.
    python = ["env", "--default-signal=INT", sys.executable]
    command = [*python, "-m", "menshen", "demo", "--data", str(tmp_path), "--port", "0", "--visits", "10000"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "LANG": "C.UTF-8", "COLUMNS": "200"}
    )
    try:
        yield (process, *_where_and_who(process))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=40)


def _where_and_who(process: subprocess.Popen[str]) -> tuple[str, str]:
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        found = re.search(r"(http://127\.0\.0\.1:\d+/).*One-time password\s+(\S+)", text, re.DOTALL)
        if found:
            return found[1], found[2]
    raise AssertionError(f"the demo never said where it is:\n{text}")


def log_in(page: Page, address: str, password: str) -> None:
    """With the one-time password, which must be changed at once."""
    page.goto(address)
    page.fill("input[name=username]", "demo")
    page.fill("input[name=password]", password)
    page.click("main button[type=submit]")
    for field in ("new_password1", "new_password2"):
        page.fill(f"input[name={field}]", "gate-of-two-gods")
    page.fill("input[name=old_password]", password)
    page.click("main button[type=submit]")


@pytest.mark.timeout(240)
def test_a_visit_is_seen_in_a_real_browser_and_ctrl_c_ends_everything(
    chromium: Browser, running: tuple[subprocess.Popen[str], str, str]
) -> None:
    process, address, password = running
    page = chromium.new_page(locale="en-GB")
    log_in(page, address, password)
    expect(page.get_by_text("h-0101").first).to_be_visible(timeout=60_000)  # the resident of the first scene
    expect(page.get_by_text("h-0301").first).to_be_visible(timeout=60_000)  # comes later, with no reload
    # three of hers: in the morning, at night, and in the next morning, after the door had been forced
    expect(page.get_by_text("h-0101").nth(2)).to_be_visible(timeout=60_000)
    page.goto(f"{address}alarms/")
    expect(page.get_by_text(re.compile("forced", re.IGNORECASE)).first).to_be_visible()
    page.close()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) >= 4  # broker, pages, ingest, gate
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=40)
    assert process.returncode == 0
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []
