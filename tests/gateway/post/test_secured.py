"""The post's links at a broker as it ships: TLS, certificates of the office's authority, and the access list."""

import queue
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from central.authority.folder import POST
from gateway.config.settings import Language
from gateway.post.config import FollowedConfig, IdentityConfig, PostConfig, SiteBrokerConfig, SpeechConfig
from gateway.post.core import Event, StateHeard
from gateway.post.ears import Ears
from gateway.post.heard import HeardState
from sync.contract.alarms import StateMessage
from sync.contract.topics import Channel, topic
from tests.mosquitto import running_mosquitto
from tests.sync.test_broker_config import ONE, TWO, Party, Site

WAIT_S = 15.0


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Site, int]]:
    site = Site(tmp_path)
    with running_mosquitto(site.folder, site.settings) as broker:
        yield site, broker.port


def test_it_hears_its_gates_and_they_hear_it(site: tuple[Site, int], tmp_path: Path) -> None:
    made, port = site
    shown = made.shows(POST)
    config = PostConfig(
        post=IdentityConfig(id="lodge", languages=(Language.EN,), data_dir=tmp_path),
        voice=SpeechConfig(),
        brokers={
            "site": SiteBrokerConfig(
                host="127.0.0.1",
                port=made.office_port,
                ca_file=shown.ca_file,
                certificate_file=shown.certificate_file,
                key_file=shown.key_file,
            )
        },
        gates={ONE: FollowedConfig(broker="site"), TWO: FollowedConfig(broker="site")},
        devices=(),
    )
    heard: queue.Queue[Event] = queue.Queue()
    gate = Party(port, made.shows(ONE), ONE, topic(ONE, Channel.POST), topic(ONE, Channel.CMD))
    assert gate.up.get(timeout=WAIT_S)
    state = StateMessage(online=True, boot="0" * 32, connection=1)
    taken = HeardState(online=True, boot="0" * 32, connection=1)
    gate.link.publish(topic(ONE, Channel.STATE), msgspec.json.encode(state), retain=True)
    ears = Ears(config, heard.put)
    ears.start()
    try:
        while heard.get(timeout=WAIT_S) != StateHeard(ONE, taken, kept=True):
            pass
        for channel in (Channel.POST, Channel.CMD):
            ears.publish(ONE, topic(ONE, channel), b"told")
            gate.hears(topic(ONE, channel), b"told")
        gate.link.publish(topic(ONE, Channel.STATE), b"nonsense")
        gate.link.publish(topic(ONE, Channel.STATE), msgspec.json.encode(state))
        assert heard.get(timeout=WAIT_S) == StateHeard(ONE, taken)
    finally:
        ears.stop()
        gate.link.stop()
