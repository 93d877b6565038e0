"""A command from the office to a real gate over a real broker: it opens the door, and says by whom; nothing else does."""

import os
import queue
import secrets
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.clock import Clock, boot_id
from menshen.demo.gate import GATE
from menshen.demo.processes import menshen, run_once
from menshen.keys import make_key_file, read_key_file
from sync.contract.commands import Release, seal_command
from sync.contract.records import CommandRecord, Door, Refused, decode_body
from sync.contract.topics import Channel, topic
from sync.mqtt import MqttLink
from tests.installation import Installation

WAIT_S = 30.0
CMD = topic(GATE, Channel.CMD)


class Wire:
    """Somebody at the broker who hears the commands, and may publish what they like."""

    def __init__(self, port: int) -> None:
        self.commands: queue.Queue[bytes] = queue.Queue()
        self._up = threading.Event()
        self.link = MqttLink("127.0.0.1", port, client_id="somebody", connected=self._up.set)
        self.link.subscribe(CMD, lambda _, payload: self.commands.put(payload))
        self.link.start()
        assert self._up.wait(WAIT_S)

    def send(self, payload: bytes, *, retain: bool = False) -> None:
        assert self.link.publish(CMD, payload, retain=retain)


@contextmanager
def wire(day: Installation) -> Iterator[Wire]:
    """One, ended at the end."""
    made = Wire(day.port)
    try:
        yield made
    finally:
        made.link.stop()


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Installation]:
    """An installation at whose gate nobody comes, and whose office has a user."""
    made = Installation(tmp_path)
    made.configure(visits=None)
    run_once("user add", menshen("office", "user", "add", "li"), made.env)
    yield made
    made.close()


def start(day: Installation) -> None:
    day.start("broker")
    start_rest(day)


def start_rest(day: Installation) -> None:
    for name in ("ingest", "gate"):
        day.start(name)
    day.hear_until("ready")
    until_online(day)


def until_online(day: Installation, *, online: bool = True) -> None:
    said = "SELECT said_online FROM registry_gate"
    day.wait_until(f"the office has heard that online is {online}", lambda: day.ask_office(said) == [(online,)])


def order(day: Installation, *words: str, key: Path | None = None) -> tuple[int, str]:
    """`menshen office command …` by li. Returns its exit code and what it said."""
    action, *rest = words
    signed = str(key or day.folder / "office.pem")
    options = ["--by", "li", "--office-key", signed, "--broker", "127.0.0.1", "--port", str(day.port)]
    command = menshen("office", "command", action, GATE, *rest, *options)
    done = subprocess.run(command, env=os.environ | day.env, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout.strip()


def records(day: Installation, kind: str) -> list[Any]:
    rows = day.ask_journal("SELECT body FROM records WHERE kind = ? ORDER BY seq", kind)
    return [decode_body(kind, body) for (body,) in rows]


def releases(day: Installation) -> list[str]:
    """By whom the door was released, in order."""
    return [body.by for body in records(day, "door") if isinstance(body, Door) and body.state == "released"]


def refusals(day: Installation) -> list[str]:
    return [body.reason for body in records(day, "refused") if isinstance(body, Refused)]


def until_refused(day: Installation, reason: str) -> None:
    day.wait_until(f"the gate has refused one: {reason}", lambda: reason in refusals(day))


def release(day: Installation, *, life_ms: int = 50_000, key: Ed25519PrivateKey | None = None, **changes: Any) -> bytes:
    """One that the office has signed; this machine's clock and boot are the gate's."""
    values: dict[str, Any] = {"gate": GATE, "id": secrets.token_hex(16), "boot": boot_id().hex(), "by": "wu"}
    command = Release(**(values | {"not_after_mono": Clock.mono_ms() + life_ms} | changes))
    return seal_command(command, key or read_key_file(day.folder / "office.pem"))


def test_a_release_opens_the_door_once_and_says_by_whom(day: Installation) -> None:
    start(day)
    with wire(day) as somebody:
        assert order(day, "release", "--reason", "wheelchair") == (0, f"{GATE}: Carried out")
        day.hear_until("door", state="released")
        day.hear_until("command", action="release", by="li", outcome="executed")
        assert somebody.commands.get(timeout=WAIT_S)
        day.wait_until("it is on record", lambda: bool(records(day, "command")))
        (told,) = records(day, "command")
        assert isinstance(told, CommandRecord)
        assert (told.by, told.note, told.outcome) == ("li", "wheelchair", "executed")
        assert releases(day) == ["li"]
        rows = day.ask_office("SELECT id, gate_id, action, note, outcome, reason FROM orders_order")
        assert rows == [(told.command, GATE, "release", "wheelchair", "executed", "")]

        replayed = release(day)
        somebody.send(replayed)
        day.hear_until("command", action="release", by="wu", outcome="executed")
        somebody.send(replayed)
        until_refused(day, "replayed")
        day.kill("gate")
        day.start("gate")
        day.hear_until("ready")
        before = len(refusals(day))

        def refused_again() -> bool:
            somebody.send(replayed)
            return len(refusals(day)) > before

        day.wait_until("it is refused after the restart, too", refused_again)
        assert set(refusals(day)) == {"replayed"}
        assert releases(day) == ["li", "wu"]


def test_nothing_else_opens_it(day: Installation) -> None:
    day.start("broker")
    with wire(day) as somebody:
        somebody.send(release(day), retain=True)  # kept by the broker, and good for a while yet
        start_rest(day)
        until_refused(day, "retained")
        for reason, payload in {
            "malformed": b"open",
            "forged": release(day, key=Ed25519PrivateKey.generate()),
            "other-gate": release(day, gate="other-gate"),
            "other-boot": release(day, boot="0" * 32),
            "late": release(day, life_ms=-1),
            "life-too-long": release(day, life_ms=3_600_000),
        }.items():
            somebody.send(payload)
            until_refused(day, reason)
        somebody.send((day.folder / "site.trust").read_bytes())  # signed by the office, and no command
        forger = day.folder / "forger.pem"
        make_key_file(forger)
        assert order(day, "release", key=forger) == (
            4,
            f"{GATE}: Not delivered: no answer from the gate in time: it may have been carried out all the same, look at the door",
        )
        assert order(day, "acknowledge", "0" * 32)[0] == 3
    assert releases(day) == [] and len(refusals(day)) == 7
    day.stop("gate")  # tells nothing more: the rest was counted
    rows = day.ask_office("SELECT action, outcome, reason FROM orders_order ORDER BY ordered_at")
    assert rows == [
        ("release", "not-delivered", "no-answer-from-gate"),
        ("acknowledge", "refused", "nothing-to-acknowledge"),
    ]


def test_a_gate_that_is_away_never_acts_on_it_later(day: Installation) -> None:
    start(day)
    gate = day.running["gate"].process
    os.kill(gate.pid, signal.SIGSTOP)
    try:
        frozen = order(day, "release")
    finally:
        os.kill(gate.pid, signal.SIGCONT)
    assert frozen == (
        4,
        f"{GATE}: Not delivered: no answer from the gate in time: it may have been carried out all the same, look at the door",
    )
    until_refused(day, "late")
    day.stop("gate")
    until_online(day, online=False)
    assert order(day, "release") == (4, f"{GATE}: Not delivered: the gate is not online")
    day.start("gate")
    day.hear_until("ready")
    until_online(day)
    assert order(day, "say", "guard-comes") == (0, f"{GATE}: Carried out")
    day.hear_until("say", phrase="guard-comes")
    assert releases(day) == []
    listed = run_once("list", menshen("office", "command", "list"), day.env).splitlines()
    assert [line.split("\t")[-1] for line in listed] == [
        "Carried out",
        "Not delivered: the gate is not online",
        "Not delivered: no answer from the gate in time: it may have been carried out all the same, look at the door",
    ]
