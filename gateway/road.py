"""The gate's end of the road, put together: one link, and who speaks over it. It decides nothing."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from gateway.clock import Clock
from gateway.coming_down import by_tag
from gateway.config import GateConfig
from gateway.core.events import DirectoryRefused, Event
from gateway.directory import Directory
from gateway.directory_road import DirectoryRoad
from gateway.downlink import Downlink, believing
from gateway.journal import Journal
from gateway.office_time import OfficeClock
from gateway.orders import Orders
from gateway.status import StatusBoard
from gateway.uplink import Uplink
from sync.contract.topics import Channel, topic
from sync.mqtt import MqttLink


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """What the road joins: where the records are, whom it tells, and by which clock."""

    journal: Journal
    directory: Directory
    board: StatusBoard
    clock: Clock
    boot: bytes
    post: Callable[[Event], None]


def lay_road(config: GateConfig, ends: Ends, taken: Sequence[Callable[[], None]], stack: ExitStack) -> Uplink:
    """Make it and open it. `taken`: called in turn when another directory decides, from the thread that took it."""
    journal, clock = ends.journal, ends.clock
    uplink = Uplink(
        config.gate.id,
        journal,
        status=ends.board.message,
        now_ms=clock.mono_ms,
        replace_log=lambda reason: journal.replace_log(reason, now=clock.now()),
        boot=ends.boot,
    )
    orders = Orders(config.gate.id, ends.boot.hex(), config.trust.keys, now_ms=clock.mono_ms, post=ends.post)
    office_clock = OfficeClock(config.gate.id, config.trust.keys, clock, post=ends.post)
    downlink = _downlink(config, ends, each(*taken, uplink.state_changed))
    ends.board.follow(lambda: downlink.held)
    link = MqttLink(
        config.broker.host,
        config.broker.tcp_port,
        client_id=config.gate.id,
        protocol=config.broker.protocol,
        username=config.broker.username,
        password=config.broker.password,
        tls=config.broker.tls,
        clock_trusted=lambda: not clock.asks,  # OpenSSL goes by the kernel's clock, whatever the office has said
        will=uplink.will,
        connected=each(uplink.connected, office_clock.connected, downlink.connected),
        disconnected=each(uplink.disconnected, office_clock.disconnected, downlink.disconnected),
    )
    comes_down = by_tag({"time": office_clock.received, "part": downlink.received}, uplink.received)
    link.subscribe(uplink.down_topic, comes_down)
    link.subscribe(topic(config.gate.id, Channel.CMD), orders.received, kept=orders.kept)
    for end in (uplink, office_clock, downlink):
        end.start(link)
    link.start()
    stack.callback(link.stop)
    for end in (downlink, office_clock, uplink):
        stack.callback(end.stop)
    return uplink


def directory_file(config: GateConfig) -> Path:
    """Where the directory is."""
    return config.gate.data_dir / "directory.sqlite"


def _downlink(config: GateConfig, ends: Ends, taken: Callable[[], None]) -> Downlink:
    keys = config.trust.keys
    road = DirectoryRoad(directory_file(config), ends.directory, site=config.gate.site, verify=believing(keys))
    return Downlink(
        config.gate.id,
        road,
        ends.directory,
        site=config.gate.site,
        keys=keys,
        now=ends.clock.now,
        refused=lambda reason: ends.post(DirectoryRefused("part", reason)),
        taken=taken,
    )


def each(*told: Callable[[], None]) -> Callable[[], None]:
    """One to be called for several."""

    def call() -> None:
        for one in told:
            one()

    return call
