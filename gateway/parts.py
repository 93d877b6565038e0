"""The parts of a gate, each made from its configuration: what it decides with, and what it knows. They decide nothing."""

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from drivers.catalogue import Bench
from gateway.clock import Clock, ScriptedClock, boot_id
from gateway.config import ClockKind, GateConfig
from gateway.core.checkpoint import Checkpoint
from gateway.core.equipment import Equipment
from gateway.core.events import DeviceChanged, DiskScarce, Event
from gateway.directory import Directory
from gateway.directory_age import DirectoryAge
from gateway.hardware import Hardware
from gateway.inbox import Inbox
from gateway.journal import Journal
from gateway.keys import hash_key
from gateway.orders_ahead import OrdersAhead
from gateway.resolve import Resolver, Trust, schemes_with
from gateway.road import directory_file
from gateway.room import MB, Limits, Room, free_on
from gateway.sampling import TemperatureSampler
from gateway.status import StatusBoard
from gateway.trust import TrustStore
from gateway.voice import Silence, Voice


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """What everything else is joined to."""

    bench: Bench
    hardware: Hardware
    journal: Journal
    clock: Clock
    boot: bytes
    inbox: Inbox
    checkpoint: Checkpoint
    board: StatusBoard


def centre_of(config: GateConfig, version: str, bench: Bench, stack: ExitStack) -> Centre:
    """Outputs come to rest first. Raises GatewayError for a journal that cannot be opened."""
    hardware = Hardware(config.devices, bench)
    stack.callback(hardware.close)
    journal, clock, boot = _open_journal(config)
    stack.callback(journal.close)
    checkpoint = Checkpoint(
        config.policy,
        ids=lambda: secrets.token_hex(16),
        state=journal.state,
        policy_version=config.policy_version,
        version=version,
        has=Equipment({device.name: str(device.use) for device in config.devices}),
        boot=boot.hex(),
    )
    board = StatusBoard(checkpoint, journal, clock.now, boot=boot, version=version)
    board.follow_devices(hardware.reports)
    return Centre(
        bench=bench,
        hardware=hardware,
        journal=journal,
        clock=clock,
        boot=boot,
        inbox=Inbox(),
        checkpoint=checkpoint,
        board=board,
    )


def _open_journal(config: GateConfig) -> tuple[Journal, Clock, bytes]:
    boot, path = boot_id(), config.gate.data_dir / "journal.sqlite"
    journal = Journal.open(path, boot=boot, now=Clock().now(), gate=config.gate.id)
    floor = journal.last_known_ms
    if config.simulation is not None and config.simulation.clock is ClockKind.SCRIPTED:
        return journal, ScriptedClock(config.policy.timezone, floor), boot
    return journal, Clock(floor), boot


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowing:
    """Whom the gate knows, what it was ordered ahead of that, whose signatures it believes, how old that is, and what follows for a
    card or code."""

    directory: Directory
    ahead: OrdersAhead
    trust_list: TrustStore
    age: DirectoryAge
    resolver: Resolver


def knowing_of(config: GateConfig, clock: Clock, post: Callable[[Event], None]) -> Knowing:
    """What cannot be read is told as a lost part; the gate goes on."""
    path = directory_file(config)
    directory = directory_of(path, post)
    ahead = OrdersAhead(path, directory, gate=config.gate.id, site=config.gate.site, keys=config.trust.keys)
    trust_list = trust_list_of(config, directory, clock, post)
    age = _age(config, directory, clock, post)
    resolver = Resolver(_trust(config, directory, trust_list, age), schemes_with(config.resolvers))
    return Knowing(directory=directory, ahead=ahead, trust_list=trust_list, age=age, resolver=resolver)


def directory_of(path: Path, post: Callable[[Event], None]) -> Directory:
    """The directory, as far as it can be opened."""

    def tell(trouble: str | None) -> None:
        post(DeviceChanged("directory", "ok" if trouble is None else "lost", trouble or ""))

    directory = Directory(path, tell)
    directory.open()
    return directory


def trust_list_of(config: GateConfig, directory: Directory, clock: Clock, post: Callable[[Event], None]) -> TrustStore:
    """The trust list that came with the directory."""
    store = TrustStore(
        directory,
        config.trust.keys,
        max_age_days=config.policy.credentials.trust_max_age_days,
        now=clock.now,
        tell=lambda state, detail: post(DeviceChanged("trust-list", state, detail)),
    )
    store.look()
    return store


def _age(config: GateConfig, directory: Directory, clock: Clock, post: Callable[[Event], None]) -> DirectoryAge:
    def tell(state: str, detail: str) -> None:
        post(DeviceChanged("directory-age", state, detail))

    age = DirectoryAge(directory, config.policy.directory, clock.now, tell)
    age.look()
    return age


def _trust(config: GateConfig, directory: Directory, trust_list: TrustStore, age: DirectoryAge) -> Trust:
    return Trust(
        site=config.gate.site,
        policy=config.policy,
        issued_s=age.issued_s,
        anchors=trust_list.anchors,
        directory=directory,
        hash_key=hash_key(config.gate.data_dir),
    )


def voice_of(config: GateConfig, hardware: Hardware, stack: ExitStack) -> Voice | Silence:
    """The voice, started; where there is no loudspeaker it is silent."""
    speaker = hardware.speaker
    if speaker is None:
        return Silence()
    voice = Voice(speaker, config)
    voice.start()
    stack.callback(voice.stop)
    return voice


def sampler_of(config: GateConfig) -> TemperatureSampler | None:
    """What makes measurements of readings, where there is a thermometer."""
    names = [device.name for device in config.devices if device.use == "thermometer"]
    return TemperatureSampler(names[0], config.policy.temperature) if names else None


def room_of(config: GateConfig, journal: Journal, clock: Clock, post: Callable[[Event], None]) -> Room:
    """What makes room on the disk."""
    limits = Limits(config.journal.max_mb * MB, config.journal.min_free_mb * MB)
    path = config.gate.data_dir / "journal.sqlite"
    return Room(
        journal,
        limits,
        clock.now,
        lambda reason: post(DiskScarce(reason)),
        lambda: free_on(path),
    )
