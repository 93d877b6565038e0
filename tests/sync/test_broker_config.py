"""The broker's example configuration, in a real mosquitto: who may do what, and who is who."""

import queue
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.contract.topics import Channel, topic
from sync.mqtt import MqttLink
from tests.mosquitto import Mosquitto, program, running_mosquitto

CONFIG = Path(__file__).resolve().parents[2] / "config"
OFFICE = "menshen-office"
WAIT_S = 10.0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """As in the example, but with its port and files below the test's folder."""
    tool = program("mosquitto_passwd")
    if tool is None:
        pytest.skip("mosquitto is not installed: make test installs it")
    secrets = tmp_path / "menshen.passwd"
    secrets.touch(0o600)
    for user in (OFFICE, "gate-1", "gate-2"):
        subprocess.run([tool, "-b", str(secrets), user, f"word-of-{user}"], check=True, capture_output=True)
    (tmp_path / "menshen.acl").write_text((CONFIG / "mosquitto.example.acl").read_text())
    text = (CONFIG / "mosquitto.example.conf").read_text().replace("/etc/mosquitto", str(tmp_path))
    ours = re.sub(r"^(#.*|listener .*|persistence .*|set_tcp_nodelay .*)?\n", "", text, flags=re.MULTILINE)
    assert "acl_file" in ours
    with running_mosquitto(tmp_path, ours) as running:
        yield running


class Party:
    """Somebody with a link, and what they heard."""

    def __init__(self, broker: Mosquitto, user: str, listens: str, *, word: str | None = None) -> None:
        self.heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.up = threading.Event()
        self.link = MqttLink(
            broker.host,
            broker.port,
            client_id=user,
            username=user,
            password=f"word-of-{user}" if word is None else word,
            connected=self.up.set,
        )
        self.link.subscribe(listens, lambda where, what: self.heard.put((where, what)))
        self.link.start()


@pytest.fixture
def parties(broker: Mosquitto) -> Iterator[list[Party]]:
    """The office and two gates."""
    made = [Party(broker, OFFICE, "menshen/1/+/up")]
    made += [Party(broker, gate, topic(gate, Channel.DOWN)) for gate in ("gate-1", "gate-2")]
    for party in made:
        assert party.up.wait(WAIT_S)
    yield made
    for party in made:
        party.link.stop()


def test_gates_and_office_reach_each_other(parties: list[Party]) -> None:
    office, one, two = parties
    assert one.link.publish(topic("gate-1", Channel.UP), b"hello")
    assert office.heard.get(timeout=WAIT_S) == (topic("gate-1", Channel.UP), b"hello")
    assert office.link.publish(topic("gate-2", Channel.DOWN), b"ack")
    assert two.heard.get(timeout=WAIT_S) == (topic("gate-2", Channel.DOWN), b"ack")
    assert one.heard.empty()


def test_no_gate_can_speak_for_another(parties: list[Party]) -> None:
    office, one, two = parties
    one.link.publish(topic("gate-2", Channel.UP), b"forged")
    one.link.publish(topic("gate-2", Channel.DOWN), b"forged")
    one.link.publish(topic("gate-1", Channel.UP), b"own")  # after the forged ones, on the same connection
    assert office.heard.get(timeout=WAIT_S) == (topic("gate-1", Channel.UP), b"own")
    office.link.publish(topic("gate-2", Channel.DOWN), b"own")
    assert two.heard.get(timeout=WAIT_S) == (topic("gate-2", Channel.DOWN), b"own")


def test_a_wrong_word_is_refused(broker: Mosquitto, caplog: pytest.LogCaptureFixture) -> None:
    stranger = Party(broker, "gate-1", topic("gate-1", Channel.DOWN), word="guessed")
    assert not stranger.up.wait(1)
    stranger.link.stop()
    assert "not authori" in caplog.text.lower()
