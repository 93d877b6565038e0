"""The gate's ends of its roads, put together: a link to the office, one to the guard post, and who speaks over them. It decides
nothing."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from gateway.clock import Clock
from gateway.coming_down import by_tag
from gateway.config import GateConfig
from gateway.config.settings import BrokerConfig, PostConfig
from gateway.core.events import DirectoryRefused, Event
from gateway.directory import Directory
from gateway.directory_road import DirectoryRoad
from gateway.downlink import Downlink, believing
from gateway.hearing import OFFICE_MS, Hearing
from gateway.journal import Journal
from gateway.office_time import OfficeClock
from gateway.orders import Orders
from gateway.orders_ahead import OrdersAhead
from gateway.post_road import Heartbeats, PostRoad, TellAll, Tells
from gateway.status import StatusBoard
from gateway.uplink import Uplink
from sync.contract.post import SILENT_MS
from sync.contract.topics import Channel, topic
from sync.mqtt import MqttLink


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """What the road joins: where the records are, whom it tells, and by which clock."""

    journal: Journal
    directory: Directory
    ahead: OrdersAhead
    board: StatusBoard
    clock: Clock
    boot: bytes
    post: Callable[[Event], None]

    def hearing(self, who: str, patience_ms: int) -> Hearing:
        """Follows whether they are heard."""
        return Hearing(who, patience_ms, now_ms=self.clock.mono_ms, post=self.post)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roads:
    """What was laid: the office's, whom alarms and states are told, and `look`, to be called at least once a second."""

    uplink: Uplink
    tells: Tells
    look: Callable[[], None]


def lay_roads(config: GateConfig, ends: Ends, taken: Sequence[Callable[[], None]], stack: ExitStack) -> Roads:
    """Make and open them. `taken`: called in turn when another directory decides, from the thread that took it."""
    office = ends.hearing("office", OFFICE_MS)
    office.lost()  # until it is heard: how long a gate that starts without a network has been alone is known, too
    uplink = _to_office(config, ends, taken, office, stack)
    if config.post is None:
        return Roads(uplink=uplink, tells=uplink, look=office.look)
    post = ends.hearing("post", SILENT_MS)
    road = _to_post(config, config.post, ends, post, stack)
    return Roads(uplink=uplink, tells=TellAll(road, uplink), look=each(office.look, post.look))


def _to_office(
    config: GateConfig, ends: Ends, taken: Sequence[Callable[[], None]], hearing: Hearing, stack: ExitStack
) -> Uplink:
    journal, clock = ends.journal, ends.clock
    uplink = Uplink(
        config.gate.id,
        journal,
        status=ends.board.message,
        now_ms=clock.mono_ms,
        replace_log=lambda reason, held: journal.replace_log(reason, now=clock.now(), held=held),
        boot=ends.boot,
        hearing=hearing,
    )
    orders = Orders(config.gate.id, ends.boot.hex(), config.trust.keys, now_ms=clock.mono_ms, post=ends.post)
    office_clock = OfficeClock(config.gate.id, config.trust.keys, clock, post=ends.post, answered=hearing.heard)
    downlink = _downlink(config, ends, each(*taken, uplink.state_changed), hearing)
    ends.board.follow(lambda: downlink.held)
    link = _link(
        config.broker,
        config.gate.id,
        clock,
        will=uplink.will,
        connected=each(hearing.opened, uplink.connected, office_clock.connected, downlink.connected),
        disconnected=each(hearing.lost, uplink.disconnected, office_clock.disconnected, downlink.disconnected),
    )
    comes_down = by_tag(
        {"time": office_clock.received, "part": downlink.received, "orders": downlink.orders_received}, uplink.received
    )
    link.subscribe(uplink.down_topic, comes_down)
    link.subscribe(topic(config.gate.id, Channel.CMD), orders.received, kept=orders.kept)
    for end in (uplink, office_clock, downlink):
        end.start(link)
    link.start()
    stack.callback(link.stop)
    for end in (downlink, office_clock, uplink):
        stack.callback(end.stop)
    return uplink


def _to_post(config: GateConfig, broker: PostConfig, ends: Ends, hearing: Hearing, stack: ExitStack) -> PostRoad:
    """The post's keys are good for heartbeats and for acknowledging, and nobody else's are good for anything here."""
    gate, boot, now_ms = config.gate.id, ends.boot.hex(), ends.clock.mono_ms
    road = PostRoad(
        gate,
        status=ends.board.message,
        now_ms=now_ms,
        boot=ends.boot,
        heartbeats=Heartbeats(gate, boot, broker.post_keys),
        hearing=hearing,
    )
    orders = Orders(gate, boot, broker.post_keys, now_ms=now_ms, post=ends.post, of_post=True)
    link = _link(
        broker, gate, ends.clock, will=road.will, connected=road.connected, disconnected=road.disconnected
    )  # fmt: skip
    link.subscribe(topic(gate, Channel.CMD), orders.received, kept=orders.kept)
    link.subscribe(topic(gate, Channel.POST), road.received, kept=road.kept)
    road.start(link)
    link.start()
    stack.callback(link.stop)
    stack.callback(road.stop)
    return road


def _link(
    broker: BrokerConfig,
    gate: str,
    clock: Clock,
    *,
    will: Callable[[], tuple[str, bytes, bool]],
    connected: Callable[[], None],
    disconnected: Callable[[], None],
) -> MqttLink:
    return MqttLink(
        broker.host,
        broker.tcp_port,
        client_id=gate,
        protocol=broker.protocol,
        username=broker.username,
        password=broker.password,
        tls=broker.tls,
        clock_trusted=lambda: not clock.asks,  # OpenSSL goes by the kernel's clock, whatever the office has said
        will=will,
        connected=connected,
        disconnected=disconnected,
    )


def directory_file(config: GateConfig) -> Path:
    """Where the directory is."""
    return config.gate.data_dir / "directory.sqlite"


def _downlink(config: GateConfig, ends: Ends, taken: Callable[[], None], hearing: Hearing) -> Downlink:
    keys = config.trust.keys
    road = DirectoryRoad(
        directory_file(config),
        ends.directory,
        site=config.gate.site,
        verify=believing(keys),
        ahead=ends.ahead.proof,
    )
    return Downlink(
        config.gate.id,
        road,
        ends.directory,
        site=config.gate.site,
        keys=keys,
        ahead=ends.ahead,
        now=ends.clock.now,
        refused=lambda reason: ends.post(DirectoryRefused("part", reason)),
        taken=taken,
        hearing=hearing,
    )


def each(*told: Callable[[], None]) -> Callable[[], None]:
    """One to be called for several."""

    def call() -> None:
        for one in told:
            one()

    return call
