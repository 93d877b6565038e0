"""From `menshen office authority init` to a gate that the office sees online: every step of docs/office-security.md, and
nothing on the road that could be read."""

import os
import re
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from menshen.demo.processes import Child, free_port, menshen
from tests.gateway.config.files import devices
from tests.mosquitto import running_mosquitto

CONFIG = Path(__file__).resolve().parents[2] / "config" / "mosquitto"
WAIT_S = 60.0


@pytest.fixture
def keep() -> Iterator[Callable[[Child], Child]]:
    with ExitStack() as stack:

        def kept(child: Child) -> Child:
            stack.callback(child.stop)
            return child

        yield kept


def test_a_gate_comes_in_by_its_bundle(tmp_path: Path, keep: Callable[[Child], Child]) -> None:
    env = {"MENSHEN_OFFICE_DIR": str(tmp_path / "office")}

    def office(*arguments: str) -> str:
        command = menshen("office", *arguments)
        return subprocess.run(command, env=os.environ | env, capture_output=True, text=True, check=True).stdout

    office("migrate")
    office("authority", "init")
    office("broker-certificate", "localhost", "--out", str(tmp_path / "broker"))
    gates, programs = free_port(), free_port()
    bundle = (
        "gate-bundle",
        "north-1",
        "--site",
        "s",
        "--broker",
        f"localhost:{gates}",
        "--out",
        str(tmp_path / "north"),
    )
    office(*bundle)
    (tmp_path / "broker" / "menshen.acl").write_bytes((CONFIG / "menshen.acl").read_bytes())
    settings = (
        (CONFIG / "mosquitto.conf").read_text("utf-8").replace("/etc/mosquitto/menshen", str(tmp_path / "broker"))
    )
    settings = settings.replace("listener 8883", f"listener {gates}").replace("listener 8884", f"listener {programs}")
    settings = re.sub(r"^(persistence|set_tcp_nodelay) .*\n", "", settings, flags=re.MULTILINE)
    config = tmp_path / "north" / "gate.toml"
    text = config.read_text("utf-8").replace('"/var/lib/menshen"', f'"{tmp_path}/data"')
    config.write_text(f"{text}\n{devices()}", "utf-8")
    with running_mosquitto(tmp_path, settings):
        own = tmp_path / "office" / "authority"
        files = ("--ca-file", "authority.pem", "--certificate-file", "office.pem", "--key-file", "office.key")
        named = [str(own / word) if word.endswith((".pem", ".key")) else word for word in files]
        ingest = menshen("office", "ingest", "--broker", "localhost", "--port", str(programs), *named)
        keep(Child("ingest", ingest, tmp_path / "ingest.log", env=env))
        gate = keep(Child("gate", menshen("gate", "run", "--config", str(config)), tmp_path / "gate.log"))
        deadline = time.monotonic() + WAIT_S
        while "north-1\t\tonline\t" not in (told := office("gate", "list")):
            assert time.monotonic() < deadline, told + (tmp_path / "gate.log").read_text()
            gate.check()
            select.select([], [], [], 0.2)
