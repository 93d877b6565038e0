"""An installation whose gates follow the office's directory, and further gates beside the first: real processes, all of them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from menshen.demo.gate import GATE, SITE
from menshen.demo.processes import Child, menshen, run_once
from tests.installation import Installation

AT_OFFICE = "import json, sys\nimport django\ndjango.setup()\ngiven = json.load(sys.stdin)\n"
SCENE = '[[scene]]\nat = "08:00"\nzh = "人"\nen = "somebody"\ndo = [{do}]\nexpects = "granted"\n'


class Site(Installation):
    """An installation whose ingest signs, and whose gate belongs to the site. People come by the real clock."""

    def __init__(self, folder: Path, *scenes: Sequence[str]) -> None:
        scenario = folder / "scenes.toml"
        scenario.write_text(scenes_of(*scenes) if scenes else scenes_of(["arrive", "leave"]), "utf-8")
        super().__init__(folder, scenario=scenario)
        run_once("gate add", menshen("office", "gate", "add", GATE, "--site", SITE), self.env)
        self.ingest = [*self.ingest, "--signing-key", str(folder / "office.pem")]
        self.configure(visits=None)

    def configure(self, *, visits: int | None, change: object = str) -> None:
        """As the base has it, but by the real clock."""
        del change
        super().configure(visits=visits, change=lambda text: text.replace('clock = "scripted"', 'clock = "real"'))

    def office_does(self, code: str, **given: object) -> str:
        """Python of the office's, in a process of its own, with `given`; what it prints."""
        done = subprocess.run(
            [sys.executable, "-c", AT_OFFICE + code], input=json.dumps(given), text=True, capture_output=True,
            check=False, env={**os.environ, **self.env},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def take_csv(self, kind: str, text: str) -> None:
        """A register from a file, as a clerk would."""
        file = self.folder / f"{kind}.csv"
        file.write_text(text, "utf-8")
        run_once(kind, menshen("office", "directory", "import", kind, str(file), "--site", SITE), self.env)

    def set_policy(self, **values: object) -> None:
        """Policy values of the site: `capacity__limit=2`."""
        code = (
            "from central.holders.models import PolicyValue\n"
            "for key, value in given['values'].items():\n"
            "    row, _ = PolicyValue.objects.get_or_create(site=given['site'], gate='', key=key, defaults={'value': value})\n"
            "    row.value = value\n"
            "    row.save()\n"
        )
        self.office_does(code, site=SITE, values={k.replace("__", "."): json.dumps(v) for k, v in values.items()})

    def wait_for_newest(self, *gates: str) -> None:
        """Until these gates say that they decide by the newest directory, whatever it is by then."""
        sql = (
            "SELECT count(*) FROM registry_gate g JOIN directory_directory d ON d.site = g.site "
            "WHERE g.id = ? AND g.directory_epoch = d.epoch AND g.directory_version = d.version"
        )
        for gate in gates:
            self.wait_until(f"{gate} decides by the newest", lambda gate=gate: self.ask_office(sql, gate)[0][0] == 1)


class Beside(Site):
    """A further gate at another installation's broker and office; nothing but the gate is its own."""

    def __init__(self, first: Site, gate: str, *scenes: Sequence[str]) -> None:
        self.gate_id = gate
        self.first = first
        folder = first.folder / gate
        folder.mkdir()
        run_once("gate add", menshen("office", "gate", "add", gate, "--site", SITE), first.env)
        self._take_over(first, folder)
        self._scenario = folder / "scenes.toml"
        self._scenario.write_text(scenes_of(*scenes), "utf-8")
        self.configure(visits=None)
        take = menshen("trust", "import", "--config", str(self.config), str(first.folder / "site.trust"))
        run_once("trust import", take, {})

    def _take_over(self, first: Site, folder: Path) -> None:
        self.__dict__.update(first.__dict__)
        self.folder, self.config, self.journal = folder, folder / "gate.toml", folder / "gate" / "journal.sqlite"
        self.gate = menshen("gate", "run", "--config", str(self.config), "--feed")
        self.heard, self.lines, self.running = type(first.heard)(), [], {}

    def configure(self, *, visits: int | None, change: object = str) -> None:
        """The first one's, under another name."""
        super().configure(visits=visits)
        text = re.sub(rf'^id = "{GATE}"$', f'id = "{self.gate_id}"', self.config.read_text("utf-8"), flags=re.MULTILINE)
        self.config.write_text(text, "utf-8")

    def start(self, name: str) -> Child:
        """Nothing but the gate is started here."""
        assert name == "gate"
        return super().start(name)


def scenes_of(*scenes: Sequence[str]) -> str:
    """A scenario in which one after the other does these things."""
    return "\n".join(SCENE.format(do=", ".join(json.dumps(each) for each in scene)) for scene in scenes)
