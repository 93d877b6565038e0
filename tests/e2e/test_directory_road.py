"""The office's directory at a gate, with real processes: changes are live, orders hold, policy and words change under way."""

import json
import os
import secrets
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from menshen.demo.gate import GATE, SITE
from menshen.demo.processes import menshen, run_once
from sync.contract.standing_orders import encode_orders, seal_orders, standing
from sync.contract.topics import Channel, topic
from sync.keyfiles import read_key_file
from sync.log.keyed import Mark
from sync.mqtt import MqttLink
from tests.installation import Installation
from tests.proxy import Proxy

CHANGE = """
import json, sys
import django
django.setup()
from django.utils.timezone import now
from central.directory.store import change
from sync.log.keyed import Row
rows = [Row(table, key, None if value is None else json.dumps(value).encode()) for table, key, value in json.load(sys.stdin)]
print(change(sys.argv[1], rows, now()).version)
"""


class Site(Installation):
    """An installation whose ingest signs, and whose gate belongs to the site."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        run_once("gate add", menshen("office", "gate", "add", GATE, "--site", SITE), self.env)
        self.ingest = [*self.ingest, "--signing-key", str(folder / "office.pem")]
        self.configure(visits=None)

    def change(self, *rows: tuple[str, str, object]) -> int:
        """Change the directory from another process; its version."""
        done = subprocess.run(
            [sys.executable, "-c", CHANGE, SITE], input=json.dumps(rows), text=True, capture_output=True, check=True,
            env={**os.environ, **self.env},
        )  # fmt: skip
        return int(done.stdout)

    def wait_for_version(self, version: int) -> None:
        """Until the gate's state says that it decides by it."""
        sql = "SELECT directory_version FROM registry_gate WHERE id = ?"
        self.wait_until(f"version {version} decides", lambda: self.ask_office(sql, GATE)[0][0] == version)

    def decides_by(self) -> int:
        """The version that the gate's file has."""
        with closing(sqlite3.connect(self.folder / "gate" / "directory.sqlite")) as connection:
            rows = connection.execute("SELECT version FROM road").fetchall()
        return int(rows[0][0]) if rows else 0

    def records(self, kind: str) -> list[dict[str, object]]:
        """Bodies of the journal."""
        rows = self.ask_journal("SELECT CAST(body AS TEXT) FROM records WHERE kind = ? ORDER BY seq", kind)
        return [json.loads(body) for (body,) in rows]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    try:
        for name in ("broker", "ingest", "gate"):
            made.start(name)
        made.hear_until("ready")
        yield made
    finally:
        made.close()


def an_order(number: int, mode: str) -> dict[str, object]:
    return {"id": f"{number:032x}", "mode": mode, "by": "li", "at_ms": number}


@pytest.mark.timeout(180)
def test_orders_reach_the_gate_at_once_hold_while_it_is_away_and_outlive_the_office(
    site: Site, record_testsuite_property: Callable[[str, object], None]
) -> None:
    site.wait_for_version(
        site.change(("holder", "h-1", {"pass_type": "resident"}), ("mode", "*", an_order(1, "lockdown")))
    )
    site.hear_until("door", state="locked_down")
    begun = time.monotonic()
    version = site.change(("mode", "*", an_order(2, "normal")))
    site.hear_until("door", state="locked")
    record_testsuite_property("ordered_to_door_s", time.monotonic() - begun)
    site.wait_for_version(version)

    site.kill("gate")  # it is away; somebody orders meanwhile
    site.change(("mode", GATE, an_order(3, "lockdown")))
    site.start("gate")
    site.hear_until("door", state="locked_down")
    site.kill("gate")
    site.kill("ingest")  # and the office is gone: the order holds
    site.start("gate")
    site.hear_until("door", state="locked_down")
    expected = ["lockdown", "normal", "lockdown"]  # whenever it was killed, each once
    site.wait_until("all are on record", lambda: [body["mode"] for body in site.records("mode")] == expected)

    version = site.change(("mode", GATE, an_order(4, "normal")))
    site.start("ingest")  # has heard nothing of this gate yet
    site.hear_until("door", state="locked")
    site.wait_for_version(version)


def an_orders(key: Ed25519PrivateKey, version: int) -> bytes:
    """An order to open the gate, ahead of this version."""
    value = json.dumps(an_order(100 + version, "free")).encode()
    return encode_orders(seal_orders(standing(GATE, SITE, Mark(0, version, bytes(16)), {"*": value}, None), key))


def play(site: Site, payload: bytes) -> None:
    """Somebody sends this to the gate, past the office."""
    up = threading.Event()
    link = MqttLink("127.0.0.1", site.port, client_id="somebody", connected=up.set)
    link.start()
    try:
        assert up.wait(20.0) and link.publish(topic(GATE, Channel.DOWN), payload)
    finally:
        link.stop()


MODEM = 8_000  # bytes in a second: 64 kbit/s
A_FEW_S = 5.0


@pytest.mark.timeout(180)
def test_a_lockdown_overtakes_a_register_that_is_being_sent_over_a_narrow_link(
    site: Site, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """It takes the best part of a minute to come. The gate is locked down long before it decides by it, and then by that order and no older one."""
    site.kill("gate")
    proxy = Proxy(site.port)
    try:
        proxy.bytes_per_s = MODEM
        site.configure(visits=None, change=lambda text: text.replace(f"port = {site.port}", f"port = {proxy.port}"))
        people = [("holder", f"h-{secrets.token_hex(8)}", {"pass_type": "resident"}) for _ in range(20_000)]
        site.change(("mode", GATE, an_order(1, "closed")), *people)
        began = time.monotonic()
        site.start("gate")
        site.wait_until(
            "closed, before anybody is known", lambda: [each["mode"] for each in site.records("mode")] == ["closed"]
        )
        assert site.decides_by() == 0
        record_testsuite_property("standing_order_s", time.monotonic() - began)
        staged = site.folder / "gate" / "directory.sqlite.staged"
        site.wait_until("some of the register is there", lambda: staged.exists() and staged.stat().st_size > 20_000)
        begun = time.monotonic()
        version = site.change(("mode", "*", an_order(2, "lockdown")))
        ordered = time.monotonic()
        site.hear_until("door", state="locked_down")
        took = time.monotonic() - ordered
        record_testsuite_property("ordered_to_door_narrow_s", took)
        assert staged.exists() and site.decides_by() < version - 1, "the register is still on its way"
        assert took < A_FEW_S, f"{took:.1f} s, and {ordered - begun:.1f} s to order it"
        play(site, an_orders(read_key_file(site.folder / "office.pem"), version - 1))  # signed, never seen, and older
        play(site, an_orders(Ed25519PrivateKey.generate(), version + 1))
        site.wait_until("the forged one is refused", lambda: len(site.records("refused")) == 1)
        refused = site.records("refused")[0]
        assert refused["what"] == "directory" and "not pinned" in str(refused["detail"])
        proxy.bytes_per_s = 0
        site.wait_for_version(version)
        assert [each["mode"] for each in site.records("mode")] == ["closed", "lockdown"]
    finally:
        proxy.close()


@pytest.mark.timeout(180)
def test_policy_comes_from_the_office_and_what_it_must_not_have_is_refused_and_told(site: Site) -> None:
    version = site.change(
        ("policy", "temperature.threshold_c", 37.9),
        ("policy", f"{GATE}/capacity.limit", 40),
        ("policy", "other-gate/capacity.limit", 1),
        ("policy", "portal.escape_route", False),
        ("policy", "temperature.spread_c", "much"),
    )
    site.wait_for_version(version)
    site.wait_until("both are refused", lambda: len(site.records("refused")) >= 1 and len(site.records("device")) >= 1)
    assert site.records("refused")[0]["what"] == "directory"
    assert {body["device"] for body in site.records("device")} == {"policy"}
    version = site.change(("policy", "portal.escape_route", None), ("policy", "temperature.spread_c", None))
    site.wait_for_version(version)
    site.wait_until("it is in order again", lambda: site.records("device")[-1]["state"] == "ok")


@pytest.mark.timeout(120)
def test_a_forged_directory_changes_nothing(site: Site, tmp_path: Path) -> None:
    """Another office's key: what it signs is refused, recorded, and the gate decides as before."""
    site.wait_for_version(site.change(("mode", "*", an_order(1, "lockdown"))))
    site.hear_until("door", state="locked_down")
    site.kill("ingest")
    run_once("keygen", menshen("trust", "keygen", str(tmp_path / "other.pem")), {})
    site.ingest = [*site.ingest[:-1], str(tmp_path / "other.pem")]
    site.change(("mode", "*", an_order(2, "free")))
    site.start("ingest")
    site.wait_until("it is refused", lambda: any(body["what"] == "directory" for body in site.records("refused")))
    assert [body["mode"] for body in site.records("mode")] == ["lockdown"]
