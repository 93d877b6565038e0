"""`menshen wire tail`: what passes at a real broker, and whatever else anybody may send."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from menshen.cli import main
from menshen.wire.command import WAITING, Ear
from menshen.wire.reading import read
from menshen.wire.showing import LONGEST, json_line, lines
from sync.contract.alarms import (
    Alarm,
    AlarmAction,
    AlarmKind,
    AlarmMessage,
    Answer,
    CommandOutcome,
    DeviceReport,
    StateMessage,
)
from sync.contract.commands import Acknowledge, Command, Release, Say, seal_command
from sync.contract.office_time import When, encode_told
from sync.contract.post import Heartbeat, Question, seal_heartbeat, seal_question
from sync.contract.sealed import seal
from sync.contract.standing_orders import encode_orders, seal_orders, standing
from sync.contract.topics import Channel, topic
from sync.log.keyed import NOTHING, Mark, Row
from sync.log.messages import Ack, Batch, Fork, Gone, Hello, Message, encode
from sync.log.parts import Have, Staged, pack
from sync.log.records import GENESIS, body_hash
from sync.mqtt import MqttLink
from sync.printable import printable, time_words
from tests.mosquitto import Mosquitto, running_mosquitto
from tests.sync.road import a_record

WAIT_S = 20.0
AT = datetime(2026, 11, 24, 8, 30, 15, 123456, tzinfo=UTC)
LOG = "000102030405060708090a0b0c0d0e0f"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
ORDER: dict[str, Any] = {"gate": "g-1", "id": "0f" * 16, "boot": "b" * 32, "not_after_mono": 5000, "by": "li"}
ALARM = Alarm(id="0" * 32, kind=AlarmKind.DOOR_FORCED, portal="north", since_ms=1_700_000_000_000, detail="contact")
RAISED = AlarmMessage(action=AlarmAction.RAISED, alarm=ALARM, at_ms=1, boot="b" * 32, mono_ms=2)
STATE = StateMessage(
    online=True,
    boot="b" * 32,
    connection=42,
    clock_trusted=True,
    mode="normal",
    door="locked",
    inside=17,
    log_id=LOG,
    head=3,
    acked=2,
    devices_lost=("thermometer",),
    devices=(DeviceReport(name="thermometer", state="stale", frames=3), DeviceReport(name="camera", state="ok")),
    alarms=(ALARM,),
    commands=(Answer(id="0f" * 16, outcome=CommandOutcome.REFUSED, reason="lockdown"),),
)
NASTY = b'{"what":"\x1b]0;x\x07\xc2\x9b31m\xe2\x80\xae"}'


def batch(*bodies: bytes | None) -> Batch:
    records = tuple(a_record(seq, body) for seq, body in enumerate(bodies, 1))
    return Batch.of(LOG, 0, GENESIS, records)


def shown(name: str, payload: bytes, *, records: bool = False) -> list[str]:
    return list(lines(read(name, payload), AT, records=records))


@pytest.mark.parametrize(
    ("channel", "message", "said"),
    [
        (Channel.UP, Hello(log_id=LOG, oldest=2, head=9, head_hash=GENESIS), "up    hello log 00010203 holds 2-9"),
        (Channel.UP, batch(b"{}", b"{}"), "up    batch log 00010203 1-2, 2 records"),
        (
            Channel.UP,
            Gone(log_id=LOG, after=0, upto=7, reason="trimmed", hash=GENESIS),
            "up    gone  log 00010203 1-7 no longer exist: trimmed",
        ),
        (Channel.DOWN, Ack(log_id=LOG, seq=2, hash=GENESIS), "down  ack   log 00010203 up to 2"),
        (Channel.DOWN, Fork(log_id=LOG, seq=2, hash=GENESIS), "down  fork  log 00010203 has another 2"),
    ],
)
def test_the_logs_messages(channel: Channel, message: Message, said: str) -> None:
    payload = encode(message)
    assert shown(topic("g-1", channel), payload) == [f"08:30:15.123 g-1 {said} ({len(payload)} B)"]
    told = json.loads(json_line(read(topic("g-1", channel), payload), AT, records=False))
    assert (told["gate"], told["channel"], told["bytes"], told["at"]) == (
        "g-1",
        str(channel),
        len(payload),
        "2026-11-24T08:30:15.123+00:00",
    )
    assert told["said"]["log_id"] == LOG


def test_what_goes_down_beside_the_log_and_the_questions_for_it() -> None:
    old, new = Mark(0, 1, bytes(16)), Mark(0, 2, bytes(15) + b"\1")
    have = Have(site="north", seen=old, title=b"", whole=True, staged=Staged(NOTHING, new, 3, 2), room=4)
    rows = [Row("card", "04A1B2C3", b'{"holder":"h-1"}')]
    changed, newest = (
        pack(marks, some, site="north", at_ms=1, seal=lambda title: seal(title, "directory-part", KEY))[0]
        for marks, some in (((old, new), rows), ((new, new), ()))
    )
    order = b'{"id":"%032x","mode":"lockdown","by":"li","at_ms":1}' % 1
    count = b'{"id":"%032x","inside":12,"by":"wu","at_ms":1}' % 2
    orders = encode_orders(seal_orders(standing("g-1", "north", new, {"*": order}, count), KEY))
    when, unsure = When(nonce=b"\xab" * 16), "signature not looked at"
    for channel, payload, said in [
        (Channel.UP, encode(have), "have  directory of north: has 0.1, 2 of 3 parts of 0.2, room for 4"),
        (Channel.DOWN, changed, "part  directory of north: 0.1 to 0.2, 1 rows, part 1 of 1, of 1970-01-01 "),
        (Channel.DOWN, newest, "part  directory of north: 0.2 is the newest, part 1 of 1, of 1970-01-01 "),
        (Channel.DOWN, orders, f"orders of north 0.2 for g-1, * lockdown by li, 12 inside by wu, {unsure}"),
        (Channel.UP, encode(when), "when  what time is it? abababab"),
        (Channel.DOWN, encode_told("g-1", when, 1, KEY), f"time  {time_words(1)}, to abababab, {unsure}"),
    ]:
        (line,) = shown(topic("g-1", channel), payload)
        assert f"g-1 {channel:5} {said}" in line and "h-1" not in line
        assert "problem" not in json.loads(json_line(read(topic("g-1", channel), payload), AT, records=False))
        (line,) = shown(topic("g-1", channel), payload[:-3])
        assert " ?     not decoded: " in line


def test_alarm_and_state() -> None:
    (line,) = shown(topic("g-1", Channel.ALARM), msgspec.json.encode(RAISED))
    assert f"alarm raised door-forced at north, since {time_words(ALARM.since_ms)}, contact (" in line
    (line,) = shown(topic("g-1", Channel.STATE), msgspec.json.encode(STATE))
    for part in ("online", "mode normal", "door locked", "inside 17", "head 3 acknowledged 2", "connection 42",
                 "lost: thermometer", "devices: thermometer stale,", "open alarms: door-forced",
                 "commands: 0f0f0f0f refused lockdown"):  # fmt: skip
        assert part in line
    assert "not trusted" not in line
    will = StateMessage(online=False, boot="b" * 32, connection=42)
    assert "offline (last will), connection 42" in shown(topic("g-1", Channel.STATE), msgspec.json.encode(will))[0]
    told = json.loads(json_line(read(topic("g-1", Channel.STATE), msgspec.json.encode(STATE)), AT, records=True))
    assert told["said"] == msgspec.to_builtins(STATE) | {
        "devices_lost": ["thermometer"],
        "devices": [{"name": "thermometer", "state": "stale", "frames": 3}, {"name": "camera", "state": "ok"}],
        "alarms": told["said"]["alarms"],
        "ended": [],
        "asked": [],
        "commands": told["said"]["commands"],
    }


def test_what_a_guard_post_says() -> None:
    beat = Heartbeat(gate="g-1", post="lodge", boot="b" * 32, mono_ms=7, sequence=3)
    question = Question(gate="g-1", post="lodge", number="5a" * 16)
    for payload, said in [
        (seal_heartbeat(beat, KEY), "heartbeat lodge number 3 at 7 ms of boot bbbbbbbb"),
        (seal_question(question, KEY), "question lodge asks 5a5a5a5a"),
    ]:
        (line,) = shown(topic("g-1", Channel.POST), payload)
        assert said in line
        (line,) = shown(topic("g-1", Channel.POST), payload[:-3])
        assert " ?     not decoded: " in line


@pytest.mark.parametrize(
    ("command", "kind", "words"),
    [
        (Release(portal="north", reason="late\x1b[2J", **ORDER), "release", "portal north, late\\x1b[2J"),
        (Say(phrase="guard-comes", **ORDER), "say  ", "guard-comes"),
        (Acknowledge(alarm=ALARM.id, note="the wind", **ORDER), "acknowledge", "alarm 00000000, the wind"),
    ],
    ids=lambda value: value.strip() if isinstance(value, str) else "",
)
def test_commands(command: Command, kind: str, words: str) -> None:
    payload = seal_command(command, KEY)
    said = f"0f0f0f0f by li, good until 5000 ms of boot bbbbbbbb, {words}, signature not looked at"
    assert shown(topic("g-1", Channel.CMD), payload) == [f"08:30:15.123 g-1 cmd   {kind} {said} ({len(payload)} B)"]
    told = json.loads(json_line(read(topic("g-1", Channel.CMD), payload), AT, records=False))
    assert (told["kind"], told["said"]["action"], told["said"]["id"]) == (kind.strip(), kind.strip(), "0f" * 16)


def test_records_of_a_batch() -> None:
    payload = encode(batch(b'{"mode":"x"}', None, NASTY))
    name = topic("g-1", Channel.UP)
    head, first, erased, nasty = shown(name, payload, records=True)
    assert shown(name, payload) == [head]
    assert first.split(maxsplit=2)[:2] == ["1", "mode"]
    assert first.endswith('{"mode":"x"}')
    assert erased.endswith("(erased)")
    assert nasty.endswith('{"what":"\\x1b]0;x\\x07\\x9b31m\\u202e"}')
    told = json.loads(json_line(read(name, payload), AT, records=True))
    assert [record["body"] for record in told["said"]["records"]] == ['{"mode":"x"}', None, NASTY.decode()]


@pytest.mark.parametrize(
    ("name", "payload", "problem"),
    [
        ("menshen/1/g-1/up", b"", "truncated"),
        ("menshen/1/g-1/up", b"\x1b[31m", "not zlib data"),
        ("menshen/1/g-1/up", encode(Ack(log_id=LOG, seq=1, hash=GENESIS)), "not one of our messages"),
        ("menshen/1/g-1/down", encode(batch(*[b"{}"] * 20)), "inflates to more"),
        ("menshen/1/g-1/alarm", b'{"action":"\x1b[31m"}', "not decoded"),
        ("menshen/1/g-1/alarm", b"[" * 200_000, "not decoded"),
        ("menshen/1/g-1/state", b'{"online":true,"boot":"\xff","connection":1}', "not decoded"),
        ("menshen/1/g-1/state", b'{"online":true,"boot":"","connection":' + b"9" * 9000 + b"}", "not decoded"),
        ("menshen/1/g-1/cmd", b"{}", "credential refused"),
        ("menshen/1/g-1/cmd", seal(b"{}", "command", KEY), "no command"),
        ("menshen/1/g-1/more", b"{}", "none of ours"),
        ("menshen/1/\x1b[31m/up", b"{}", "none of ours"),
        ("menshen/1/g-1", b"{}", "none of ours"),
    ],
)
def test_what_cannot_be_decoded(name: str, payload: bytes, problem: str) -> None:
    (line,) = shown(name, payload, records=True)
    assert "? " in line
    assert problem in line
    assert line.endswith(f"({len(payload)} B)")
    assert line.isprintable()
    told = json.loads(json_line(read(name, payload), AT, records=True))
    assert (told["kind"], told["bytes"], bool(told["problem"])) == ("", len(payload), True)


WORDS = st.text(max_size=300) | st.sampled_from(["\x1b[2J", "\u202e", "\x9b", "门" * 200, "\U0001f6aa"])


@given(st.sampled_from(list(Channel)), st.binary(max_size=300))
def test_any_bytes(channel: Channel, payload: bytes) -> None:
    for line in shown(topic("g", channel), payload, records=True):
        assert printable(line) == line
    json.loads(json_line(read(topic("g", channel), payload), AT, records=True))


@given(WORDS, WORDS, st.integers(min_value=-(2**70), max_value=2**70), st.lists(WORDS, max_size=20))
def test_any_words(one: str, two: str, number: int, many: list[str]) -> None:
    """A gate that says what it likes: one printable line of bounded length all the same."""
    alarm = msgspec.structs.replace(
        ALARM, portal=one, since_ms=number, acknowledged=True, acknowledged_by=two, detail=one
    )
    state = msgspec.structs.replace(
        STATE, boot=two, mode=one, inside=number, devices_lost=tuple(many), alarms=(alarm,) * 9
    )
    for channel, message in (
        (Channel.ALARM, msgspec.structs.replace(RAISED, alarm=alarm)),
        (Channel.STATE, state),
    ):
        payload = msgspec.json.encode(message)
        (line,) = shown(topic("g", channel), payload)
        assert printable(line) == line
        assert len(line) < LONGEST + 30
        assert json_line(read(topic("g", channel), payload), AT, records=False).isascii()


def test_any_body() -> None:
    body = bytes(range(256))
    record = msgspec.structs.replace(a_record(1), at=-(2**63) + 1, body=body, body_hash=body_hash(bytes(16), body))
    payload = encode(msgspec.structs.replace(batch(b""), records=(record,)))
    _, line = shown(topic("g", Channel.UP), payload, records=True)
    assert line.isprintable()
    assert f"{-(2**63) + 1} ms" in line
    assert json_line(read(topic("g", Channel.UP), payload), AT, records=True).isascii()


def test_what_comes_too_fast_is_counted() -> None:
    ear = Ear()
    for number in range(WAITING + 7):
        ear.hear("menshen/1/g/up", b"%d" % number)
    assert ear.missed() == 7
    assert ear.missed() == 0
    heard = ear.next()
    assert heard is not None
    assert heard.payload == b"0"


# the command, at a real broker


class Tail:
    """`menshen wire tail` as a process."""

    def __init__(self, broker: Mosquitto, *options: str, env: dict[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "menshen", "wire", "tail", "--broker", broker.host, "--port", str(broker.port)]
        self._process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
        )

    def line(self) -> str:
        """The next line."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def said(self) -> str:
        """The next line on standard error."""
        assert self._process.stderr is not None
        return self._process.stderr.readline()

    def terminate(self) -> None:
        """SIGTERM."""
        self._process.terminate()

    def end(self) -> tuple[int, str]:
        """Wait for its end: its exit code, and what more it said on standard error."""
        _, errors = self._process.communicate(timeout=WAIT_S)
        return self._process.returncode, errors


@contextmanager
def speaking(broker: Mosquitto, name: str, **login: str) -> Iterator[MqttLink]:
    """A link that is up."""
    up = threading.Event()
    link = MqttLink(broker.host, broker.port, client_id=name, connected=up.set, **login)  # type: ignore[arg-type]
    link.start()
    try:
        assert up.wait(WAIT_S)
        yield link
    finally:
        link.stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with running_mosquitto(tmp_path) as broker:
        yield broker


def test_it_shows_what_passes(broker: Mosquitto) -> None:
    with speaking(broker, "g-1") as gate:
        assert gate.publish(topic("g-1", Channel.STATE), msgspec.json.encode(STATE), retain=True)
        assert gate.publish(topic("g-2", Channel.STATE), msgspec.json.encode(STATE), retain=True)
        tail = Tail(broker, "--gate", "g-1", "--records")
        try:
            assert " g-1 state state online" in tail.line()  # kept by the broker: the tail listens
            assert gate.publish(topic("g-2", Channel.UP), encode(batch(b"{}")))
            assert gate.publish(topic("g-1", Channel.UP), encode(batch(NASTY)))
            assert gate.publish(topic("g-1", Channel.UP), b"\x1b[31m")
            assert gate.publish(topic("g-1", Channel.DOWN), encode(Ack(log_id=LOG, seq=1, hash=GENESIS)))
            assert " g-1 up    batch log " in tail.line()
            assert tail.line().endswith('{"what":"\\x1b]0;x\\x07\\x9b31m\\u202e"}')
            assert " g-1 up    ?     not decoded: not zlib data" in tail.line()
            assert " g-1 down  ack   log " in tail.line()
        finally:
            tail.terminate()
        assert tail.end() == (0, "")


def test_json_and_a_count(broker: Mosquitto) -> None:
    with speaking(broker, "g-1") as gate:
        assert gate.publish(topic("g-1", Channel.STATE), msgspec.json.encode(STATE), retain=True)
        tail = Tail(broker, "--json", "--count", "2")
        assert json.loads(tail.line())["kind"] == "state"
        assert gate.publish(topic("g-1", Channel.UP), encode(batch(b"{}", b"{}")))
        told = json.loads(tail.line())
        assert (told["said"]["after"], told["said"]["upto"], told["said"]["records"]) == (0, 2, 2)
        assert tail.line() == ""
        assert tail.end() == (0, "")


def test_it_logs_in_and_says_when_it_may_not(tmp_path: Path) -> None:
    users = tmp_path / "users"
    subprocess.run(["mosquitto_passwd", "-c", "-b", str(users), "watcher", "secret"], check=True, capture_output=True)
    with running_mosquitto(tmp_path, f"allow_anonymous false\npassword_file {users}\n") as broker:
        login = {"username": "watcher", "password": "secret"}
        with speaking(broker, "g-1", **login) as gate:
            assert gate.publish(topic("g-1", Channel.STATE), msgspec.json.encode(STATE), retain=True)
        password = tmp_path / "password"
        password.write_text("secret\n")
        for options, env in (
            (["--password-file", str(password)], {}),
            ([], {"MENSHEN_BROKER_PASSWORD": "secret"}),
        ):
            tail = Tail(broker, "--user", "watcher", *options, "--count", "1", env=env)
            assert " g-1 state state online" in tail.line()
            assert tail.end() == (0, "")
        tail = Tail(broker, "--count", "1")
        assert "not reached: refused" in tail.said()
        tail.terminate()
        assert tail.end() == (0, "")


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--gate", "North 1"], 2, "1 to 32 of a-z"),
        (["--password-file", "none"], 2, "--password-file needs --user"),
        (["--user", "a", "--password-file", "none"], 1, "none"),
        (["--ca-file", "none"], 1, "none holds no certificates in PEM"),
        (["--key-file", "none"], 2, "of no use without --ca-file"),
        (["--port", "8883"], 2, "8883 is the port of MQTT over TLS"),
        (["--plaintext", "--ca-file", "none"], 2, "one of the two"),
        (["--broker", "192.0.2.7"], 2, "without TLS anybody on the way to 192.0.2.7"),
        ([], 2, "--broker"),
    ],
)
def test_mistakes_are_told(
    options: list[str], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = ["--broker", "127.0.0.1"] if options else []
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["wire", "tail", *broker, *options])
    assert (done.exit_code, said in done.output) == (code, True), done.output
