"""A gate, put together from its configuration and run until it is told to stop. It decides nothing."""

import logging
import secrets
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.catalogue import Bench
from gateway.clock import Clock, ScriptedClock, boot_id
from gateway.config import ClockKind, GateConfig
from gateway.core.checkpoint import Checkpoint
from gateway.core.equipment import Equipment
from gateway.core.events import CommitFailed, DeviceChanged, DiskScarce, Event, JournalReplaced, JournalWorks
from gateway.core.policy import Policy
from gateway.desired import DesiredState
from gateway.directory import Directory
from gateway.directory_age import DirectoryAge
from gateway.executor import Executor, Watcher
from gateway.feed import Feed
from gateway.hardware import Hardware
from gateway.inbox import Inbox
from gateway.intake import Intake
from gateway.journal import Journal, JournalError
from gateway.keys import hash_key
from gateway.loop import Loop
from gateway.resolve import Resolver, ResolveWorkers, Trust, schemes_with
from gateway.road import Ends, directory_file, each, lay_roads
from gateway.room import MB, Limits, Room, free_on
from gateway.sampling import TemperatureSampler
from gateway.status import StatusBoard
from gateway.trust import TrustStore
from gateway.upkeep import Upkeep
from gateway.uplink import Uplink
from gateway.voice import Silence, Voice
from sync.notify import Notifier

if TYPE_CHECKING:
    from gateway.page.desk import PageDesk

logger = logging.getLogger("menshen.gate")


def run_gate(config: GateConfig, *, version: str, feed: Feed | None, notifier: Notifier) -> None:
    """Run until SIGTERM or SIGINT. Raises GatewayError when the gate cannot start at all."""
    folder = config.gate.data_dir
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:
        bench = Bench()
        hardware = Hardware(config.devices, bench)
        stack.callback(hardware.close)
        journal, clock, boot = _open_journal(config)
        stack.callback(journal.close)
        inbox = Inbox()
        checkpoint = Checkpoint(
            config.policy,
            ids=lambda: secrets.token_hex(16),
            state=journal.state,
            policy_version=config.policy_version,
            version=version,
            has=Equipment({device.name: str(device.use) for device in config.devices}),
        )
        board = StatusBoard(checkpoint, journal, clock.now, boot=boot, version=version)
        board.follow_devices(hardware.reports)
        directory = _directory(directory_file(config), inbox.post)
        voice = _voice(config, hardware, stack)
        trust_list = _trust_list(config, directory, clock, inbox.post)
        age = _age(config, directory, clock, inbox.post)
        page = _page(config, board, clock, inbox.post, directory)
        resolver = Resolver(_trust(config, directory, trust_list, age), schemes_with(config.resolvers))
        workers = ResolveWorkers(resolver, inbox.post if page is None else page.seeing(inbox.post))
        workers.start()
        stack.callback(workers.stop)
        sampler = _sampler(config)
        desired = DesiredState(
            config, directory, inbox.post, adopt=_adopting(resolver, sampler, age, page), reword=voice.reword
        )  # fmt: skip
        desired.look()
        ends = Ends(journal=journal, directory=directory, board=board, clock=clock, boot=boot, post=inbox.post)
        roads = lay_roads(config, ends, (desired.look, age.look), stack)
        watchers: list[Watcher] = [watching.watch for watching in (feed, page) if watching is not None]
        executor = Executor(
            journal=journal,
            post=inbox.post,
            lock=hardware.lock,
            lamps=hardware.lamps,
            sounder=hardware.sounder,
            alarm_lamp=hardware.alarm_lamp,
            voice=voice,
            tells=roads.tells,
            sampler=sampler,
            watchers=watchers,
        )
        after_turn = each(lambda: _after_turn(executor, board, journal, clock, notifier, page), roads.look)
        loop = Loop(checkpoint, inbox, executor, clock, after_turn)
        _follow_journal(journal, roads.uplink, inbox.post)
        loop.begin()
        board.take()
        _stop_on_signals(loop)
        stack.callback(hardware.stop)
        hardware.start(Intake(inbox.post, workers, sampler, clock.now))
        if page is not None:
            page.start()
            stack.callback(page.stop)
        upkeep = Upkeep(
            journal,
            clock.now,
            lambda: not board.latest.visiting,
            each(trust_list.look, age.look),
            _room(config, journal, clock, inbox.post).look,
            keep_days=config.gate.keep_days,
        )
        upkeep.start()
        stack.callback(upkeep.stop)
        _play(config, hardware, bench, clock, watchers, feed, stack)
        logger.info("gate %s is ready", config.gate.id)
        notifier.ready()
        if feed is not None:
            feed.tell("ready", gate=config.gate.id)
        loop.run()
        notifier.stopping()


def _open_journal(config: GateConfig) -> tuple[Journal, Clock, bytes]:
    boot = boot_id()
    journal = Journal.open(config.gate.data_dir / "journal.sqlite", boot=boot, now=Clock().now())
    floor = journal.last_known_ms
    if config.simulation is not None and config.simulation.clock is ClockKind.SCRIPTED:
        return journal, ScriptedClock(config.policy.timezone, floor), boot
    return journal, Clock(floor), boot


def _voice(config: GateConfig, hardware: Hardware, stack: ExitStack) -> Voice | Silence:
    speaker = hardware.speaker
    if speaker is None:
        return Silence()
    voice = Voice(speaker, config)
    voice.start()
    stack.callback(voice.stop)
    return voice


def _adopting(
    resolver: Resolver, sampler: TemperatureSampler | None, age: DirectoryAge, page: "PageDesk | None"
) -> Callable[[Policy], None]:
    """Whoever goes by the policy beside the core."""

    def adopt(policy: Policy) -> None:
        resolver.adopt(policy)
        age.adopt(policy.directory)
        if sampler is not None:
            sampler.adopt(policy.temperature)
        if page is not None:
            page.adopt(policy)

    return adopt


def _page(
    config: GateConfig,
    board: StatusBoard,
    clock: Clock,
    post: Callable[[Event], None],
    directory: Directory,
) -> "PageDesk | None":
    """The guard's page, where there is one; what it needs is loaded for it alone."""
    if config.page is None:
        return None
    from gateway.page.desk import Gate, PageDesk

    gate = Gate(
        status=lambda: board.latest,
        turned_ms=lambda: board.turned_ms,
        devices=lambda: board.devices,
        now=clock.now,
        post=post,
        directory=directory,
    )
    return PageDesk(config, gate)


def _room(config: GateConfig, journal: Journal, clock: Clock, post: Callable[[Event], None]) -> Room:
    limits = Limits(config.journal.max_mb * MB, config.journal.min_free_mb * MB)
    path = config.gate.data_dir / "journal.sqlite"
    return Room(
        journal,
        limits,
        clock.now,
        lambda reason: post(DiskScarce(reason)),
        lambda: free_on(path),
    )


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


def _trust_list(config: GateConfig, directory: Directory, clock: Clock, post: Callable[[Event], None]) -> TrustStore:
    store = TrustStore(
        directory,
        config.trust.keys,
        max_age_days=config.policy.credentials.trust_max_age_days,
        now=clock.now,
        tell=lambda state, detail: post(DeviceChanged("trust-list", state, detail)),
    )
    store.look()
    return store


def _directory(path: Path, post: Callable[[Event], None]) -> Directory:
    def tell(trouble: str | None) -> None:
        post(DeviceChanged("directory", "ok" if trouble is None else "lost", trouble or ""))

    directory = Directory(path, tell)
    directory.open()
    return directory


def _sampler(config: GateConfig) -> TemperatureSampler | None:
    names = [device.name for device in config.devices if device.use == "thermometer"]
    return TemperatureSampler(names[0], config.policy.temperature) if names else None


def _after_turn(
    executor: Executor, board: StatusBoard, journal: Journal, clock: Clock, notifier: Notifier, page: "PageDesk | None"
) -> None:
    executor.try_again()
    board.take()
    if page is not None:
        page.turned()
    now = clock.now()
    if now.trusted:
        with suppress(JournalError):  # its thread has ended, and has said so: the gate goes on by its policy
            journal.note_time(now.at_ms)
    notifier.alive()


def _follow_journal(journal: Journal, uplink: Uplink, post: Callable[[Event], None]) -> None:
    """Tell the uplink of every commit, and the core of trouble with the journal and of its end."""
    known: dict[str, str | None] = {"failed": None, "recovered": None}

    def changed() -> None:
        uplink.appended()
        failed, recovered = journal.failed, journal.recovered
        if failed != known["failed"]:
            post(JournalWorks() if failed is None else CommitFailed(0, failed))
        if recovered != known["recovered"] and recovered is not None:
            post(JournalReplaced(recovered))
        known.update(failed=failed, recovered=recovered)

    journal.subscribe(changed)
    changed()


def _stop_on_signals(loop: Loop) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.stop())


def _play(
    config: GateConfig,
    hardware: Hardware,
    bench: Bench,
    clock: Clock,
    watchers: list[Watcher],
    feed: Feed | None,
    stack: ExitStack,
) -> None:
    """Let the people of a scenario come, where the configuration asks for them; tell when photographs are all shown."""
    if config.simulation is not None:
        from gateway.simulation.stage import play

        people = play(config.simulation, hardware, bench, clock, feed)
        watchers.append(people.watch)
        people.start()
        stack.callback(people.leave)
    shown = getattr(hardware.by_use("entry-camera"), "ended", None)
    if feed is not None and isinstance(shown, threading.Event):
        threading.Thread(target=_tell_when_shown, args=(shown, feed), name="shown", daemon=True).start()


def _tell_when_shown(shown: threading.Event, feed: Feed) -> None:
    shown.wait()
    feed.tell("finished")
