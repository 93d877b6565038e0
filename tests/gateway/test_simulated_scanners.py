"""A code that a scene's people hold up reaches the gate through each simulated scanner, by that scanner's own protocol."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from menshen.demo.processes import Child, menshen
from tests.gateway.config.files import devices, sections

SCENES = """
[[scene]]
at = "10:00"
zh = "进"
en = "in"
do = ["arrive", "show certificate", "forehead 36.5", "enter"]
expects = "denied"

[[scene]]
at = "10:05"
zh = "出"
en = "out"
do = ["show-out pass"]
expects = "denied"
"""
CODES = {"certificate": "HC1:" + "Q7%" * 700, "pass": "MP1:nobody-s"}  # the first as long as the longest there are


def test_a_whole_gate_hears_what_is_held_before_its_scanners(tmp_path: Path) -> None:
    (tmp_path / "day.toml").write_text(SCENES, "utf-8")
    (tmp_path / "cast.json").write_text(json.dumps({"codes": CODES}), "utf-8")
    here = devices("camera", hand=("simulated-hid-scanner", "entry-camera"), module=("simulated-gm65", "exit-camera"))
    simulation = '[simulation]\nscenario = "day.toml"\ncast = "cast.json"\npace = 0\nvisits = 2\n'
    path = tmp_path / "gate.toml"
    path.write_text(sections() + here + simulation, "utf-8")
    gate = Child("gate", menshen("gate", "run", "--config", str(path), "--feed"), tmp_path / "gate.log", pipe=True)
    try:
        assert gate.process.stdout is not None
        assert any(json.loads(line)["what"] == "finished" for line in gate.process.stdout), gate.tail()
    finally:
        gate.stop()
    with closing(sqlite3.connect(tmp_path / "data" / "journal.sqlite")) as journal:
        visits = [json.loads(body) for (body,) in journal.execute("SELECT body FROM records WHERE kind = 'visit'")]
    seen = [(visit["credential_kind"], visit["evidence"][-1]["data"]["reader"]) for visit in visits]
    assert seen == [("eu-certificate", "hand"), ("pass", "module")], gate.tail()
