"""A real site without an office: two gates, a post and mosquitto, each a process that can be killed."""

import json
import logging
import queue
import secrets
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from drivers.sound.pcm import read_wav
from gateway.clock import Clock
from menshen.demo.processes import free_port, menshen, run_once
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind, AlarmMessage, StateMessage
from sync.contract.commands import Acknowledge, Release, seal_command
from sync.contract.post import Heartbeat, seal_heartbeat
from sync.contract.topics import Channel, topic
from sync.keyfiles import read_key_file
from sync.mqtt import MqttLink
from tests.mosquitto import Mosquitto, running_mosquitto

logger = logging.getLogger("tests.post")
WAIT_S = 45.0
EAST, WEST = "east-gate", "west-gate"
_GATE = """\
[gate]
id = "{gate}"
site = "garden"
data_dir = "{gate}"
[broker]
host = "127.0.0.1"
port = {nowhere}
[post]
host = "127.0.0.1"
port = {port}
keys = ["{key}"]
[policy.alarms]
post = true
[policy.steps]
resident = ["credential"]
tenant = ["credential"]
returnee = ["credential"]
visitor = ["credential"]
[devices.reader]
model = "simulated-rdm6300"
use = "entry-reader"
"""
_PINS = {
    "presence": ("input", 5), "door-contact": ("input", 6), "exit-button": ("input", 13), "tamper": ("input", 19),
    "call": ("input", 21), "fire": ("input", 20), "lock": ("output", 17),
}  # fmt: skip
_POST = """\
[post]
id = "lodge"
languages = ["zh", "en"]
data_dir = "lodge"
[brokers.site]
host = "127.0.0.1"
port = {port}
[gates.east-gate]
broker = "site"
zh = "东门"
en = "East gate"
[gates.west-gate]
broker = "site"
[devices.speaker]
model = "simulated-loudspeaker"
use = "speaker"
path = "said.wav"
[devices.siren]
model = "simulated-output"
use = "sounder"
pin = 17
[devices.button]
model = "simulated-input"
use = "acknowledge"
pin = 26
"""


def gate_file(gate: str, port: int, key: str) -> str:
    """A gate's file; nobody listens where its office should be."""
    pins = "".join(
        f'[devices.{use}]\nmodel = "simulated-{kind}"\nuse = "{use}"\npin = {pin}\n'
        for use, (kind, pin) in _PINS.items()
    )
    return _GATE.format(gate=gate, port=port, nowhere=free_port(), key=key) + pins


class Process:
    """A puppet, and what it tells."""

    def __init__(self, what: str, path: Path) -> None:
        self.log = path.with_suffix(".log")
        command = [sys.executable, "-m", "tests.gateway.post.puppet", what, str(path)]
        with self.log.open("ab") as sink:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sink, text=True
            )
        self._heard: queue.Queue[dict[str, str]] = queue.Queue()
        self.told: list[dict[str, Any]] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.told.append(json.loads(line) | {"heard_s": time.monotonic()})
            self._heard.put(self.told[-1])

    def hear(self, what: str, **values: str) -> dict[str, Any]:
        """The next line of this kind with these values."""
        deadline = time.monotonic() + WAIT_S
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self._heard.get(timeout=left)
            except queue.Empty:
                break
            if line["what"] == what and all(line.get(key) == value for key, value in values.items()):
                return line
        raise AssertionError(f"{what} {values} was never told\n{self.log.read_text()[-3000:]}")

    def switch(self, name: str, level: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{name} {level}\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(WAIT_S)


class Site:
    """All of it."""

    def __init__(self, folder: Path, broker: Mosquitto, stack: ExitStack) -> None:
        self.folder = folder
        self.broker = broker
        self._stack = stack
        self.post_file = folder / "post.toml"
        self.post_file.write_text(_POST.format(port=broker.port), "utf-8")
        key = run_once("key", menshen("post", "key", "--config", str(self.post_file)), {}).strip()
        assert key == run_once("key", menshen("post", "key", "--config", str(self.post_file)), {}).strip()
        self.key = read_key_file(folder / "lodge" / "post.key")
        for gate in (EAST, WEST):
            (folder / f"{gate}.toml").write_text(gate_file(gate, broker.port, key), "utf-8")
            run_once("check", menshen("gate", "check", "--config", str(folder / f"{gate}.toml")), {})
        run_once("check", menshen("post", "check", "--config", str(self.post_file)), {})

    def gate(self, name: str) -> Process:
        return self._ready(self._begun("gate", self.folder / f"{name}.toml"))

    def post(self) -> Process:
        return self._ready(self._begun("post", self.post_file))

    def all(self) -> tuple[Process, Process, Process]:
        """East, west and the post, begun at once."""
        gates = [self._begun("gate", self.folder / f"{name}.toml") for name in (EAST, WEST)]
        post = self._begun("post", self.post_file)
        return self._ready(gates[0]), self._ready(gates[1]), self._ready(post)

    def _begun(self, what: str, path: Path) -> Process:
        process = Process(what, path)
        self._stack.callback(process.stop)
        return process

    @staticmethod
    def _ready(process: Process) -> Process:
        process.hear("ready")
        return process

    def records(self, gate: str, kind: str) -> list[Any]:
        """Bodies of a gate's records of this kind."""
        connection = sqlite3.connect(f"file:{self.folder / gate / 'journal.sqlite'}?mode=ro", uri=True)
        try:
            rows = connection.execute("SELECT body FROM records WHERE kind = ? ORDER BY seq", (kind,)).fetchall()
        finally:
            connection.close()
        return [json.loads(body) for (body,) in rows]

    def wait_for_record(self, gate: str, kind: str, **values: str) -> dict[str, Any]:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            for record in self.records(gate, kind):
                if all(record.get(key) == value for key, value in values.items()):
                    return record  # type: ignore[no-any-return]
            threading.Event().wait(0.1)  # it shows only in a file
        raise AssertionError(f"no {kind} {values} at {gate}: {self.records(gate, kind)}")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_mosquitto(tmp_path) as broker, ExitStack() as stack:
        yield Site(tmp_path, broker, stack)


def test_an_alarm_sounds_where_the_guard_sits_and_his_button_answers_it_at_the_gate(site: Site) -> None:
    run_once("shift", menshen("post", "shift", "--config", str(site.post_file), "王卫"), {})
    east, west, post = site.all()
    took = []
    for gate, name in ((east, EAST), (west, WEST)):
        begun_s = time.monotonic()
        gate.switch("tamper", "on")
        opened = post.hear("opened", gate=name, kind="tamper")
        heard = post.hear("sound", tone="alarm")
        took.append(heard["heard_s"] - begun_s)
        if name == EAST:  # the other's line would wait until this one has been said
            assert post.hear("say", gate=name)["kind"] == "tamper"
        post.switch("button", "on")
        post.hear("sound", tone="")
        assert post.hear("acknowledged", gate=name, alarm=opened["alarm"])["by"] == "王卫"
        post.switch("button", "off")
        record = site.wait_for_record(name, "alarm", action="acknowledged")
        assert (record["by"], record["alarm"]["kind"], record["alarm"]["acknowledged"]) == ("王卫", "tamper", True)
        assert site.wait_for_record(name, "command", action="acknowledge")["outcome"] == "executed"
    logger.info("from the switch to the sound: %s ms", ", ".join(f"{1000 * each:.0f}" for each in took))
    east.switch("fire", "on")
    post.hear("sound", tone="alarm")  # and never the evacuation signal
    post.hear("say", gate=EAST, kind="fire")
    assert site.records(EAST, "refused") == []
    post.stop()
    assert any(read_wav(str(site.folder / "said.wav")))
    assert not any(record["alarm"]["kind"] == "post-lost" for record in site.records(EAST, "alarm"))


def test_a_gate_that_is_killed_is_told_and_its_return_too(site: Site) -> None:
    east, west, post = site.all()
    west.switch("tamper", "on")  # both are heard by now: what follows is no start
    post.hear("opened", gate=WEST, kind="tamper")
    begun_s = time.monotonic()
    east.kill()
    silent = post.hear("opened", gate=EAST, kind="gate-silent")
    logger.info("from kill -9 of a gate to its silence at the post: %.3f s", silent["heard_s"] - begun_s)
    post.hear("say", gate=EAST, kind="gate-silent")
    post.switch("button", "on")
    post.hear("acknowledged", gate=EAST, kind="gate-silent")
    site.gate(EAST)
    post.hear("over", gate=EAST, kind="gate-silent")


def test_what_a_gate_once_said_passes_for_no_gate_to_a_post_that_starts(site: Site) -> None:
    said: queue.Queue[bytes] = queue.Queue()
    western: queue.Queue[bytes] = queue.Queue()
    up = threading.Event()
    recorder = MqttLink("127.0.0.1", site.broker.port, client_id="recorder", connected=up.set)
    recorder.subscribe(topic(EAST, Channel.STATE), lambda _, payload: said.put(payload))
    recorder.subscribe(topic(WEST, Channel.STATE), lambda _, payload: western.put(payload))
    recorder.start()
    try:
        assert up.wait(WAIT_S)
        east, west, post = site.all()
        recorded = [said.get(timeout=WAIT_S) for _ in range(3)]
        west.switch("tamper", "on")
        post.hear("opened", gate=WEST, kind="tamper")
        east.kill()
        post.hear("opened", gate=EAST, kind="gate-silent")
        post.kill()
        again = site.post()
        again.hear("opened", gate=EAST, kind="gate-silent")
        state = msgspec.json.decode(western.get(timeout=WAIT_S), type=StateMessage)
        for number in range(3):
            for payload in recorded:
                for retain in (True, False):
                    recorder.publish(topic(EAST, Channel.STATE), payload, retain=retain)
            behind = Alarm(id=f"{number:032x}", kind=AlarmKind.CALL, portal="main", since_ms=0)
            message = AlarmMessage(
                action=AlarmAction.RAISED, alarm=behind, at_ms=0, boot=state.boot, mono_ms=2 * Clock.mono_ms()
            )
            recorder.publish(topic(WEST, Channel.ALARM), msgspec.json.encode(message))
            again.hear("opened", gate=WEST, alarm=behind.id)
        assert not [line for line in again.told if line["what"] == "over" and line["gate"] == EAST]
        site.gate(EAST)
        again.hear("over", gate=EAST, kind="gate-silent")
    finally:
        recorder.stop()


def test_a_post_that_is_killed_is_an_alarm_at_its_gates_until_it_is_back(site: Site) -> None:
    east, post = site.gate(EAST), site.post()
    east.switch("call", "on")
    post.hear("opened", gate=EAST, kind="call")
    post.kill()
    begun_s = time.monotonic()
    lost = east.hear("alarm", kind="post-lost", action="raised")
    logger.info("from kill -9 of the post to post-lost at the gate: %.1f s", lost["heard_s"] - begun_s)
    site.post()
    east.hear("alarm", kind="post-lost", action="cleared")


def test_whoever_has_not_the_posts_key_is_nobody_and_the_post_only_acknowledges(site: Site) -> None:
    east = site.gate(EAST)
    states: queue.Queue[StateMessage] = queue.Queue()
    up = threading.Event()
    forger = MqttLink("127.0.0.1", site.broker.port, client_id="forger", connected=up.set)
    forger.subscribe(
        topic(EAST, Channel.STATE), lambda _, payload: states.put(msgspec.json.decode(payload, type=StateMessage))
    )
    forger.start()
    try:
        assert up.wait(WAIT_S)
        east.switch("tamper", "on")
        while not (state := states.get(timeout=WAIT_S)).alarms:
            pass
        who = {"gate": EAST, "boot": state.boot, "not_after_mono": state.mono_ms + 5_000, "by": "thief"}
        other = Ed25519PrivateKey.generate()
        acknowledge = Acknowledge(id=secrets.token_hex(16), alarm=state.alarms[0].id, **who)
        forger.publish(topic(EAST, Channel.CMD), seal_command(acknowledge, other))
        forger.publish(topic(EAST, Channel.CMD), seal_command(Release(id=secrets.token_hex(16), **who), site.key))
        beat = Heartbeat(gate=EAST, post="lodge", boot=state.boot, mono_ms=Clock.mono_ms(), sequence=1)
        forger.publish(topic(EAST, Channel.POST), seal_heartbeat(beat, other))
        reasons = {
            site.wait_for_record(EAST, "refused", reason=reason)["reason"] for reason in ("forged", "not-for-post")
        }
        assert reasons == {"forged", "not-for-post"}
        east.hear("alarm", kind="post-lost", action="raised")  # the forged heartbeat was none
        assert "heartbeat(s) of a post refused; the last: forged" in east.log.read_text()
        for number in range(2):  # and the post's own is one, once
            beat = Heartbeat(gate=EAST, post="lodge", boot=state.boot, mono_ms=Clock.mono_ms(), sequence=number)
            forger.publish(topic(EAST, Channel.POST), seal_heartbeat(beat, site.key))
        east.hear("alarm", kind="post-lost", action="cleared")
        assert [record for record in site.records(EAST, "door") if record["state"] == "released"] == []
        assert not any(record["action"] == "acknowledged" for record in site.records(EAST, "alarm"))
    finally:
        forger.stop()
