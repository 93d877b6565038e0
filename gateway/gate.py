"""A gate, put together from its configuration and run until it is told to stop. It decides nothing."""

import logging
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from drivers.catalogue import Bench
from gateway.config import GateConfig
from gateway.core.events import CommitFailed, Event, JournalReplaced, JournalWorks
from gateway.core.policy import Policy
from gateway.desired import DesiredState
from gateway.executor import Executor, Watcher
from gateway.feed import Feed
from gateway.intake import Intake
from gateway.journal import Journal, JournalError
from gateway.loop import Loop
from gateway.page_end import NoPage, page_of, serve
from gateway.parts import Centre, Knowing, centre_of, knowing_of, room_of, sampler_of, voice_of
from gateway.resolve import ResolveWorkers
from gateway.road import Ends, Roads, each, lay_roads
from gateway.sampling import TemperatureSampler
from gateway.upkeep import Upkeep
from gateway.uplink import Uplink
from gateway.voice import Silence, Voice
from sync.notify import Notifier

if TYPE_CHECKING:
    from gateway.page.desk import PageDesk

logger = logging.getLogger("menshen.gate")


def run_gate(
    config: GateConfig, *, version: str, feed: Feed | None, notifier: Notifier, bench: Bench | None = None
) -> None:
    """Run until SIGTERM or SIGINT; `bench`: whose simulated devices somebody works from outside. Raises GatewayError when the gate
    cannot start at all."""
    config.gate.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:
        centre = centre_of(config, version, bench or Bench(), stack)
        post, board, clock = centre.inbox.post, centre.board, centre.clock
        voice = voice_of(config, centre.hardware, stack)
        knowing = knowing_of(config, clock, post)
        page = page_of(config, board, clock, post, knowing.directory, centre.journal)
        workers = ResolveWorkers(knowing.resolver, page.seeing(post))
        workers.start()
        stack.callback(workers.stop)
        sampler = sampler_of(config)
        desired = DesiredState(
            config,
            knowing.directory,
            post,
            ahead=knowing.ahead.now,
            adopt=_adopting(knowing, sampler, page),
            reword=voice.reword,
        )
        desired.look()
        roads = lay_roads(config, _ends(centre, knowing), (desired.look, knowing.age.look), stack)
        watchers: list[Watcher] = [page.watch] if feed is None else [feed.watch, page.watch]
        executor = _executor(centre, voice, roads, sampler, watchers)
        after_turn = each(executor.try_again, board.take, page.turned, _keep_time(centre), notifier.alive, roads.look)
        loop = Loop(centre.checkpoint, centre.inbox, executor, clock, after_turn)
        _follow_journal(centre.journal, roads.uplink, post)
        loop.begin()
        board.take()
        _stop_on_signals(loop)
        stack.callback(centre.hardware.stop)
        intake = Intake(post, workers, sampler, clock.now)
        centre.hardware.watch(intake.near)
        centre.hardware.start(intake)
        serve(page, stack)
        _look_after(config, centre, knowing, stack)
        _play(config, centre, watchers, feed, stack)
        logger.info("gate %s is ready", config.gate.id)
        notifier.ready()
        if feed is not None:
            feed.tell("ready", gate=config.gate.id)
        loop.run()
        notifier.stopping()


def _ends(centre: Centre, knowing: Knowing) -> Ends:
    return Ends(
        journal=centre.journal,
        directory=knowing.directory,
        ahead=knowing.ahead,
        board=centre.board,
        clock=centre.clock,
        boot=centre.boot,
        post=centre.inbox.post,
    )


def _executor(
    centre: Centre, voice: Voice | Silence, roads: Roads, sampler: TemperatureSampler | None, watchers: list[Watcher]
) -> Executor:
    return Executor(
        journal=centre.journal,
        post=centre.inbox.post,
        lock=centre.hardware.lock,
        lamps=centre.hardware.lamps,
        sounder=centre.hardware.sounder,
        alarm_lamp=centre.hardware.alarm_lamp,
        voice=voice,
        tells=roads.tells,
        sampler=sampler,
        watchers=watchers,
    )


def _adopting(
    knowing: Knowing, sampler: TemperatureSampler | None, page: "PageDesk | NoPage"
) -> Callable[[Policy], None]:
    """Whoever goes by the policy beside the core."""

    def adopt(policy: Policy) -> None:
        knowing.resolver.adopt(policy)
        knowing.age.adopt(policy.directory)
        if sampler is not None:
            sampler.adopt(policy.temperature)
        page.adopt(policy)

    return adopt


def _look_after(config: GateConfig, centre: Centre, knowing: Knowing, stack: ExitStack) -> None:
    """What is done now and then."""
    upkeep = Upkeep(
        centre.journal,
        centre.clock.now,
        lambda: not centre.board.latest.visiting,
        each(knowing.trust_list.look, knowing.age.look),
        room_of(config, centre.journal, centre.clock, centre.inbox.post).look,
        keep_days=config.gate.keep_days,
    )
    upkeep.start()
    stack.callback(upkeep.stop)


def _keep_time(centre: Centre) -> Callable[[], None]:
    """Have the journal note a time that can be trusted."""

    def keep() -> None:
        now = centre.clock.now()
        if now.trusted:
            with suppress(JournalError):  # its thread has ended, and has said so: the gate goes on by its policy
                centre.journal.note_time(now.at_ms)

    return keep


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


def _play(config: GateConfig, centre: Centre, watchers: list[Watcher], feed: Feed | None, stack: ExitStack) -> None:
    """Let the people of a scenario come, where the configuration asks for them; tell when photographs are all shown."""
    if config.simulation is not None:
        from gateway.simulation.stage import play

        people = play(config.simulation, centre.hardware, centre.bench, centre.clock, feed)
        watchers.append(people.watch)
        people.start()
        stack.callback(people.leave)
    shown = getattr(centre.hardware.by_use("entry-camera"), "ended", None)
    if feed is not None and isinstance(shown, threading.Event):
        threading.Thread(target=_tell_when_shown, args=(shown, feed), name="shown", daemon=True).start()


def _tell_when_shown(shown: threading.Event, feed: Feed) -> None:
    shown.wait()
    feed.tell("finished")
