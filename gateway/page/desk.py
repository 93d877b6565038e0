"""The gate's end of the guard's page: keeps the page's process, tells it what stands, and takes what guards ask for.

Two threads beside the deciding one. The child's supervisor hears the page: it checks who asks, and whether he may, and posts
events. The other one tells the page what stands, soon after a turn has changed it, and at least every 2 s, so that a page that
hears nothing knows that it has lost the gate.
"""

import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from drivers.child import PATIENCE, ChildMisbehaved, ChildProcess, Patience
from gateway.config import GateConfig
from gateway.core.effects import Append, Effect
from gateway.core.events import (
    AccessLocked,
    AccessRefused,
    CredentialResolved,
    DeviceChanged,
    Event,
    Outcome,
    Registered,
)
from gateway.core.moment import Moment
from gateway.core.policy import Policy
from gateway.core.status import Status
from gateway.directory import Directory
from gateway.errors import DirectoryError, GatewayError
from gateway.page import messages
from gateway.page.access import Guesses, Session, Sessions, Tablets, place_of
from gateway.page.alarms import RecentAlarms
from gateway.page.guards import Guard, GuardBook, GuardsError, Role, give_hashes_back, is_right
from gateway.page.messages import Answer, Ask, Beat, Person
from gateway.page.orders import against, event_of
from gateway.page.registrations import Registrations
from gateway.page.settings import setup_of
from gateway.page.shifts import LastHandOver
from gateway.page.snapshot import on_duty, packed, take
from gateway.page.tablets import TabletsError, read_tablets, write_tablets
from gateway.page.tablets import file_in as tablets_in
from gateway.page.visitors import DAY_MS, VisitorFile, VisitorsError, file_in
from gateway.page.visits import RecentVisits
from sync.contract.alarms import DeviceReport
from sync.contract.directory import Table
from sync.contract.records import Body
from sync.contract.text import harmless

logger = logging.getLogger("menshen.page")
NAME: Final = "page"
SETTLE_S: Final = 0.05  # what changes within this is told at once
TELL_S: Final = 2.0  # told at least this often
SLOW_S: Final = 60.0  # the duty roster and old registrations are looked at this often
TURNS_MS: Final = 5_000  # the deciding thread turns at least once a second
CARD_MS: Final = 20_000  # so long a tablet waits for a card
SAME_CARD_MS: Final = 5_000  # what is read again within this still lies there from the log-in
MOST_CARDS: Final = 8  # tablets that wait for one at a time
MOST_ORDERS, WITHIN_MS = 20, 10_000  # of one guard, so many within that time
MODULE: Final = "gateway.page.process"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What the desk needs of the gate. `status` and `turned_ms` as of the last turn; `devices` as they are now."""

    status: Callable[[], Status]
    turned_ms: Callable[[], int]
    now: Callable[[], Moment]
    post: Callable[[Event], None]
    directory: Directory
    devices: Callable[[], tuple[DeviceReport, ...]] = tuple


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A tablet that waits for a card."""

    ask: Ask
    until_ms: int


class PageDesk:
    """Serves the page, from `start` until `stop`. Raises ValueError for a gate without one."""

    def __init__(self, config: GateConfig, gate: Gate, *, patience: Patience = PATIENCE) -> None:
        if config.page is None:
            raise ValueError("this gate has no page")
        page = config.page
        self._gate = gate
        self._id = config.gate.id
        self._policy = config.policy
        self._setup = messages.encode(setup_of(config))
        self._visits = RecentVisits()
        self._registrations = Registrations()
        self._alarms = RecentAlarms()
        self._hand_over = LastHandOver()
        give_hashes_back()
        self._guards = GuardBook(page.guards(config.gate.data_dir))
        self._visitors = VisitorFile(file_in(config.gate.data_dir))
        self._keep_ms = page.keep_days * DAY_MS
        self._sessions = Sessions(page.idle_min * 60_000, page.longest_h * 3_600_000, secrets.token_urlsafe)
        self._tablets_file = tablets_in(config.gate.data_dir)
        self._tablets = Tablets(secrets.token_urlsafe, self._tablets_before())
        self._guesses = Guesses()
        self._cards: list[_Waiting] = []
        self._logged_in: Mapping[tuple[str, str], int] = {}  # credential and reader, and until when it still lies there
        self._ordered: dict[str, deque[int]] = {}  # when each guard gave his last orders
        self._duty: tuple[messages.OnDuty, ...] = ()
        self._listening: bool | None = None  # not known yet
        self._locked = self._touched = False
        self._lock = (
            threading.Lock()
        )  # sessions, guesses and cards: the supervisor's, the readers' and the teller's threads
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._teller = threading.Thread(target=self._tell, name="page", daemon=True)
        self._child = ChildProcess(NAME, MODULE, greet=self._greet, hear=self._hear, lost=self._lost, patience=patience)

    def _tablets_before(self) -> Mapping[str, Mapping[str, str]]:
        try:
            return read_tablets(self._tablets_file)
        except TabletsError as error:
            logger.error("%s; until then tablets show nothing while nobody is logged in", error)
            return {}

    @property
    def pid(self) -> int | None:
        """The page's process id while it lives."""
        return self._child.pid

    def start(self) -> None:
        """Start the process and the thread."""
        self._gate.post(AccessLocked(False))  # what the last run left: its guesses are forgotten
        self._child.start()
        self._teller.start()

    def stop(self) -> None:
        """End both, within 4 s."""
        self._stopping.set()
        self._changed.set()
        self._child.stop()
        if self._teller.ident is not None:
            self._teller.join(2.0)

    # what the deciding thread and the readers call; nothing here blocks

    def watch(self, effect: Effect, now: Moment) -> None:
        """A watcher of effects."""
        self._visits.watch(effect)
        self._alarms.watch(effect, now)
        answer = self._registrations.answer(effect)
        if answer is not None:
            self._child.send(messages.encode(answer))
        if isinstance(effect, Append):
            self.recorded(effect.body, now.at_ms)
        self._touched = True

    def recorded(self, body: Body, at_ms: int) -> None:
        """A record was made now, or before the gate started."""
        for each in (self._visits, self._alarms, self._hand_over):
            each.recorded(body, at_ms)

    def turned(self) -> None:
        """The deciding thread's turn is over, and `status` is of it."""
        if self._touched:
            self._touched = False
            self._changed.set()

    def adopt(self, policy: Policy) -> None:
        """Go by this from now on."""
        self._policy = policy

    def seeing(self, post: Callable[[CredentialResolved], None]) -> Callable[[CredentialResolved], None]:
        """`post`, but for a card that is shown for a log-in: it does nothing else at the gate."""

        def unless_for_log_in(event: CredentialResolved) -> None:
            if not self._is_for_log_in(event):
                post(event)

        return unless_for_log_in

    # the page is told

    def _tell(self) -> None:
        slow_at = 0.0
        while not self._stopping.is_set():
            self._changed.wait(TELL_S)
            if self._stopping.wait(SETTLE_S):
                return
            self._changed.clear()
            now = self._gate.now()
            if now.mono_ms >= slow_at:
                slow_at = now.mono_ms + SLOW_S * 1000
                self._look_at_slow_things(now)
            self._tell_once(now)
            self._look_at_waiting(now.mono_ms)

    def _tell_once(self, now: Moment) -> None:
        if not self._gate.status().visiting:
            self._visits.nobody()
        self._child.send(packed(self._snapshot(now)))

    def _snapshot(self, now: Moment) -> messages.Snapshot:
        return take(
            self._gate.status(),
            self._visits,
            self._alarms,
            self._duty,
            now,
            handed_over=self._hand_over.last,
            devices=self._gate.devices(),
            limit=self._policy.capacity.most,
            rounds=self._policy.rounds,
            alive=now.mono_ms - self._gate.turned_ms() < TURNS_MS,
        )

    def _look_at_slow_things(self, now: Moment) -> None:
        try:
            self._duty = on_duty(self._gate.directory.entries(Table.DUTY), now.at_ms // 1000, self._id)
        except DirectoryError as error:
            logger.warning("the duty roster cannot be read: %s", error)
        try:
            if now.trusted:
                self._visitors.trim(now.at_ms - self._keep_ms)
        except VisitorsError as error:
            logger.error("%s", error)

    # the page's process

    def _greet(self) -> tuple[bytes, ...]:
        return (self._setup, packed(self._snapshot(self._gate.now())))

    def _lost(self, cause: str) -> None:
        self._became(listening=False, detail=f"the page's process {cause}")
        with self._lock:
            self._cards.clear()

    def _became(self, *, listening: bool, detail: str = "") -> None:
        if listening is self._listening:
            return
        self._listening = listening
        logger.log(
            logging.INFO if listening else logging.WARNING, "the page is %s %s", "up" if listening else "down", detail
        )
        self._gate.post(DeviceChanged(NAME, "ok" if listening else "lost", detail))

    def _hear(self, packet: bytes) -> None:
        try:
            said = messages.decode_from_page(packet)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ChildMisbehaved(f"no message: {error}") from error
        match said:
            case Beat(listening=listening):
                if listening:
                    self._became(listening=True)
            case Ask():
                answer = self._asked(said)
                if answer is not None:
                    self._child.send(messages.encode(answer))

    # who asks

    def _asked(self, ask: Ask) -> Answer | None:
        """The answer; None when it comes later."""
        now = self._gate.now()
        try:
            with self._lock:
                match ask.what:
                    case messages.LogIn():
                        return self._log_in(ask, ask.what, now.mono_ms)
                    case messages.LogInByCard(tablet=tablet):
                        return self._await_card(ask, tablet, now.mono_ms)
                    case messages.Watch(tablet=tablet):
                        return self._may_watch(ask, tablet)
                session = self._sessions.find(ask.token, now.mono_ms)
                guard = self._guards.all().get(session.name) if session is not None else None
                if session is None or guard is None or guard.mark != session.mark:
                    return Answer(id=ask.id, ok=False, reason="logged-out")
                return self._of_guard(ask, session, guard, now)
        except GuardsError as error:
            logger.error("%s", error)
            return Answer(id=ask.id, ok=False, reason="guards-unreadable")

    def _of_guard(self, ask: Ask, session: Session, guard: Guard, now: Moment) -> Answer | None:
        leader = guard.role is Role.LEADER
        match ask.what:
            case messages.Who():
                return Answer(id=ask.id, ok=True, person=Person(name=guard.name, leader=leader))
            case messages.LogOut():
                self._sessions.end(session.token)
                return Answer(id=ask.id, ok=True)
            case messages.LogIn() | messages.LogInByCard() | messages.Watch():
                raise AssertionError("these are dealt with before")
            case action:
                self._sessions.used(session.token, now.mono_ms)
                return self._order(ask.id, action, guard, now, leader=leader)

    def _order(self, number: int, action: messages.Action, guard: Guard, now: Moment, *, leader: bool) -> Answer | None:
        reason = against(action, self._known(action, now.mono_ms), leader=leader)
        if reason or self._too_fast(guard.name, now.mono_ms):
            return Answer(id=number, ok=False, reason=reason or "too-fast")
        try:
            event = event_of(action, guard.name, lambda asked: self._visitors.add(asked, guard.name, now.at_ms))
        except GatewayError as error:
            logger.error("%s", error)
            return Answer(id=number, ok=False, reason="not-kept")
        if not isinstance(event, Registered):
            self._gate.post(event)
            return Answer(id=number, ok=True)
        self._registrations.put(event.reference, number, now.mono_ms)  # answered when the core has
        self._gate.post(event)
        return None

    def _known(self, action: messages.Action, now_ms: int) -> Status:
        """What an order is held against: notes are also taken about the alarms that are over and still listed."""
        status = self._gate.status()
        if not isinstance(action, messages.NoteAlarm):
            return status
        return replace(status, alarms=(*status.alarms, *self._alarms.answered(now_ms)))

    def _too_fast(self, name: str, now_ms: int) -> bool:
        """Whether more is asked in this guard's name than people can: each order is a record, and a page that was taken over has no say
        in how many. Each has his own count: nobody else's tablet keeps him from opening the door."""
        ordered = self._ordered.setdefault(name, deque(maxlen=MOST_ORDERS))
        if len(ordered) == MOST_ORDERS and now_ms - ordered[0] < WITHIN_MS:
            return True
        ordered.append(now_ms)
        return False

    # logging in

    def _log_in(self, ask: Ask, asked: messages.LogIn, now_ms: int) -> Answer:
        place = place_of(ask.address)
        keys: tuple[str, ...] = (f"guard {asked.name} at {place}", f"address {place}")
        if self._tablets.knows(asked.tablet, asked.name):
            keys = (f"tablet {asked.tablet} {asked.name}",)
        wait_ms = self._guesses.wait_ms(keys, now_ms)
        if wait_ms > 0:
            return Answer(id=ask.id, ok=False, reason="wait", wait_s=-(-wait_ms // 1000))
        guard = self._guards.all().get(asked.name)
        if not is_right(guard, asked.pin) or guard is None:
            return self._guessed(ask, keys, now_ms)
        self._guesses.right(keys)
        self._look_at_guesses(now_ms)
        tablet = self._tablets.add(asked.tablet, guard.name, guard.mark)
        self._keep_tablets()
        return self._begun(ask, guard, tablet, now_ms)

    def _keep_tablets(self) -> None:
        try:
            write_tablets(self._tablets_file, self._tablets.kept)
        except TabletsError as error:
            logger.error("%s; after a restart this tablet shows nothing until somebody logs in", error)

    def _may_watch(self, ask: Ask, tablet: str) -> Answer:
        marks = {guard.name: guard.mark for guard in self._guards.all().values()}
        ok = self._tablets.may_watch(tablet, marks)
        by_card = tablet if self._tablets.known(tablet) else ""
        return Answer(id=ask.id, ok=ok, reason="" if ok else "unknown-tablet", tablet=by_card)

    def _guessed(self, ask: Ask, keys: tuple[str, ...], now_ms: int) -> Answer:
        wait_ms = self._guesses.wrong(keys, now_ms)
        address = harmless(ask.address, 64)
        self._gate.post(AccessRefused("wrong-pin", address))
        if wait_ms:
            logger.warning("log-in from %s: wrong PINs; nothing is heard of it for %d s", address, wait_ms // 1000)
        self._look_at_guesses(now_ms)
        return Answer(id=ask.id, ok=False, reason="wrong-pin", wait_s=-(-wait_ms // 1000))

    def _look_at_guesses(self, now_ms: int) -> None:
        locked = self._guesses.anybody_waits(now_ms)
        if locked is not self._locked:
            self._locked = locked
            self._gate.post(AccessLocked(locked))

    def _begun(self, ask: Ask, guard: Guard, tablet: str, now_ms: int) -> Answer:
        session = self._sessions.begin(guard.name, now_ms, guard.mark)
        person = Person(name=guard.name, leader=guard.role is Role.LEADER)
        logger.info("%s has logged in from %s", guard.name, harmless(ask.address, 64))
        return Answer(id=ask.id, ok=True, person=person, token=session.token, tablet=tablet)

    def _await_card(self, ask: Ask, tablet: str, now_ms: int) -> Answer | None:
        if not self._tablets.known(tablet):
            return Answer(id=ask.id, ok=False, reason="unknown-tablet")
        if len(self._cards) >= MOST_CARDS:
            return Answer(id=ask.id, ok=False, reason="busy")
        self._cards.append(_Waiting(ask, now_ms + CARD_MS))
        return None

    def _is_for_log_in(self, event: CredentialResolved) -> bool:
        """Whether it is shown for a log-in that waits, and is used up by it; or still lies there from one."""
        if event.verdict.outcome is not Outcome.VALID or not event.verdict.holder:
            return False
        now_ms, shown = self._gate.now().mono_ms, (event.verdict.credential, event.reader)
        if now_ms >= self._logged_in.get(shown, now_ms):
            self._card(event.verdict.holder, shown, now_ms)
        return now_ms < self._logged_in.get(shown, now_ms)

    def _card(self, holder: str, shown: tuple[str, str], now_ms: int) -> None:
        """A valid credential of this holder was read: it logs in the one tablet that waits for it, if a guard's it is."""
        guard = self._guard_of(holder) if self._cards else None
        if guard is None or not self._waiting_for(
            guard, now_ms
        ):  # nobody else at the readers waits while a PIN is tried
            return
        with self._lock:
            waiting = self._waiting_for(guard, now_ms)
            self._cards = [each for each in self._cards if each not in waiting]
            if waiting:
                still = {each: until_ms for each, until_ms in self._logged_in.items() if now_ms < until_ms}
                self._logged_in = {**still, shown: now_ms + SAME_CARD_MS}
            for each in waiting:
                answer = (
                    self._begun(each.ask, guard, _tablet(each.ask), now_ms)
                    if len(waiting) == 1
                    else Answer(id=each.ask.id, ok=False, reason="several-tablets")
                )
                self._child.send(messages.encode(answer))

    def _guard_of(self, holder: str) -> Guard | None:
        try:
            return next((each for each in self._guards.all().values() if each.holder == holder), None)
        except GuardsError as error:
            logger.error("%s", error)
            return None

    def _waiting_for(self, guard: Guard, now_ms: int) -> list[_Waiting]:
        """The tablets that wait and where this guard has given his PIN: at any other one somebody else may wait for his card."""
        waiting = [each for each in self._cards if now_ms < each.until_ms]
        return [each for each in waiting if self._tablets.knows(_tablet(each.ask), guard.name)]

    def _look_at_waiting(self, now_ms: int) -> None:
        with self._lock:
            late = [each for each in self._cards if now_ms >= each.until_ms]
            self._cards = [each for each in self._cards if now_ms < each.until_ms]
            self._look_at_guesses(now_ms)
        for each in late:
            self._child.send(messages.encode(Answer(id=each.ask.id, ok=False, reason="no-card")))


def _tablet(ask: Ask) -> str:
    return ask.what.tablet if isinstance(ask.what, messages.LogInByCard) else ""
