"""A model of the directory's way down: an office that changes and is put back, a gate that crashes, a road at its worst."""

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.contract.sealed import seal, unseal
from sync.log.follower import (
    Action,
    Confirm,
    DropStaged,
    Follower,
    Held,
    Kept,
    Refused,
    Send,
    Stage,
    Take,
    TakeStaged,
)
from sync.log.keyed import NOTHING, Mark, Row, digest_of, moved, weight
from sync.log.messages import encode, inflate
from sync.log.parts import Have, Part, Staged, Title, Verify, decode_have, open_part, pack
from sync.log.publisher import Answer, NotAnswered, OpenEpoch, Parts, Publisher

SITE = "north"
WHAT = "directory-part"
OFFICE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))
State = dict[tuple[str, str], bytes]
LONG = 30_000  # bytes; two such rows do not fit into one part


def sealed(document: bytes) -> bytes:
    """As the office signs."""
    return seal(document, WHAT, OFFICE_KEY)


def verified(data: bytes) -> bytes:
    """As a gate believes."""
    return unseal(data, WHAT, [OFFICE_KEY.public_key()])


class OfficeState:
    """The office's rows: `sync.log.publisher.Source`."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], tuple[bytes | None, int]] = {}
        self.mark = NOTHING
        self.past: set[Mark] = set()

    def newest(self) -> Mark:
        """The state as it is."""
        return self.mark

    def had(self, mark: Mark) -> bool:
        """Whether it was one of these."""
        return mark in self.past

    def changed(self, base: Mark) -> tuple[Mark, Iterable[Row]]:
        """What changed since."""
        rows = [
            Row(table, key, value)
            for (table, key), (value, version) in sorted(self.rows.items())
            if version > base.version and (value is not None or base != NOTHING)
        ]
        return self.mark, rows

    def change(self, rows: Sequence[Row], epoch: int | None = None) -> None:
        """One more version."""
        digest, version = self.mark.digest, self.mark.version + 1
        for row in rows:
            before = self.rows.get((row.table, row.key), (None, 0))[0]
            removed = 0 if before is None else weight(row.table, row.key, before)
            added = 0 if row.value is None else weight(row.table, row.key, row.value)
            digest = moved(digest, added=added, removed=removed)
            self.rows[row.table, row.key] = row.value, version
        self.mark = Mark(self.mark.epoch if epoch is None else epoch, version, digest)
        self.past.add(self.mark)

    def state(self) -> State:
        """The rows that are there."""
        return {place: value for place, (value, _) in self.rows.items() if value is not None}


class Crash(Exception):
    """The gate's process ended here."""


class GateState:
    """What a gate keeps: `sync.log.follower.Kept`, and what it does with the actions. `checks`: whether it holds the rows
    against the title."""

    checks = True

    def __init__(self) -> None:
        self.rows: State = {}
        self.kept = Held()
        self.pieces: list[bytes] = []

    def held(self) -> Held:
        """What decides."""
        return self.kept

    def staged(self) -> Staged | None:
        """What is on its way."""
        if not self.pieces:
            return None
        title = self.open(self.pieces[0])
        return Staged(title.base, title.upto, title.parts, len(self.pieces))

    def open(self, payload: bytes) -> Title:
        """The title of what was staged."""
        return open_part(payload, SITE, verified).title

    def stage(self, action: Stage) -> None:
        """Keep it for later."""
        if action.title.number == 0:
            self.pieces = []
        self.pieces.append(action.payload)

    def take_staged(self) -> bool:
        """Take it whole. Whether it was what its title says."""
        parts = [open_part(payload, SITE, verified) for payload in self.pieces]
        rows = tuple(row for part in parts for row in part.rows)
        taken = self.take(Take(parts[-1].title, parts[-1].sealed, rows))
        self.pieces = []
        return taken

    def take(self, action: Take) -> bool:
        """Take it. Whether it was what its title says."""
        title = action.title
        rows = {} if title.base == NOTHING else dict(self.rows)
        for row in action.rows:
            if row.value is None:
                rows.pop((row.table, row.key), None)
            else:
                rows[row.table, row.key] = row.value
        digest = digest_of(Row(*place, value) for place, value in rows.items())
        if self.checks and (digest != title.upto.digest or len(action.rows) != title.count):
            return False
        self.rows, self.kept = rows, Held(title.upto, action.sealed, title.at_ms, whole=True)
        return True

    def confirm(self, action: Confirm) -> None:
        """Still the newest."""
        self.kept = Held(self.kept.seen, action.sealed, action.title.at_ms, whole=True)

    def drop(self) -> None:
        """Nothing is staged any more."""
        self.pieces = []

    def lose(self, pieces: int) -> None:
        """The power goes, and with it the last pieces that were staged: they are not flushed one by one."""
        del self.pieces[max(0, len(self.pieces) - pieces) :]

    def holds(self, state: State | None) -> bool:
        """Whether its rows are exactly these."""
        return self.rows == state

    def image(self) -> "GateState":
        """A copy of its card."""
        return deepcopy(self)

    def load(self) -> None:
        """Somebody loads other rows by hand."""
        self.rows, self.kept = (
            {("card", "by-hand"): b"{}"},
            Held(self.kept.seen, self.kept.title, self.kept.at_ms),
        )


@dataclass
class Careless:
    """What to build the world of, in place of what is careful."""

    follower: Callable[[str, Kept, Verify], Follower] = Follower
    gate: Callable[[], GateState] = GateState
    verify: Verify = verified
    opens_epochs: bool = True


@dataclass
class Ever:
    """Every state that any office ever had, and the newest that the gate ever took."""

    states: dict[Mark, State] = field(default_factory=dict)
    reached: tuple[int, int] = (0, 0)


class World:
    """Office, road and gate, moved by a script of steps."""

    def __init__(self, made_of: Careless | None = None) -> None:
        self.made_of = made_of or Careless()
        self.now = 0
        self.office = OfficeState()
        self.gate = self.made_of.gate()
        self.up: list[bytes] = []
        self.down: list[bytes] = []
        self.seen: list[bytes] = []  # everything that ever came down: somebody may play it again
        self.ever = Ever()
        self.refused: list[str] = []
        self.not_answered: list[str] = []
        self.crash_after: int | None = None
        self.rotten = False  # a row was changed behind everybody's back: until it is found out, rows are not checked
        self._numbers = 0
        self._backup: OfficeState | None = None
        self._card: GateState | None = None
        self._heard: bytes | None = None  # the gate's last question
        self.start_office()
        self.start_gate()
        self.change(2)

    # steps

    def start_office(self) -> None:
        """The office's process starts."""
        self.publisher = Publisher(SITE, self.office, seal=sealed, verify=verified)
        self._heard = None

    def start_gate(self) -> None:
        """The gate's process starts."""
        self.follower = self.made_of.follower(SITE, self.gate, self.made_of.verify)
        self.follower.connected(self.now)

    def change(self, number: int) -> None:
        """The office changes some rows and pushes them, to a gate that it believes to have what the gate last said, or
        simply what it had itself until now."""
        rows, before = [], self.office.mark
        for place in range(number % 3 + 1):
            self._numbers += 1
            key = f"0000000{(self._numbers * 7 + place * 3) % 6}"
            value = b'{"holder":"h-1","lost":false,"number":%d}' % self._numbers
            deleted = self._numbers % 5 == 0
            rows.append(
                Row(("card", "policy")[number % 2], key, None if deleted else value.ljust(LONG if number > 3 else 8))
            )
        self.office.change(list({(row.table, row.key): row for row in rows}.values()))
        self._note()
        if number % 2:
            guessed = Have(site=SITE, seen=before, title=b"", whole=True, staged=None, room=1)
            self._send_down(self._answer(encode(guessed)))
        elif self._heard is not None:
            self._send_down(self._answer(self._heard))

    def back_up(self) -> None:
        """The office is backed up."""
        self._backup = deepcopy(self.office)

    def restore(self) -> None:
        """… and put back."""
        if self._backup is not None:
            self.office = deepcopy(self._backup)
            self.start_office()

    def image_card(self) -> None:
        """Somebody makes an image of the gate's card."""
        self._card = self.gate.image()

    def put_card_back(self) -> None:
        """… and puts it back."""
        if self._card is not None:
            self.gate = self._card.image()
            self.ever.reached = self.gate.held().seen.order
            self.start_gate()

    def load(self) -> None:
        """Somebody loads a file at the gate."""
        self.gate.load()
        self.follower.changed(self.now)

    def crash(self, lost: int) -> None:
        """The gate's power goes."""
        self.gate.lose(lost)
        self.crash_after = None
        self.start_gate()

    def arrive(self, road: list[bytes], place: int, *, times: int = 1) -> None:
        """Something on the road arrives: not (0), once, or again and again; in any order."""
        if not road:
            return
        payload = road.pop(place % len(road))
        for _ in range(times):
            if road is self.up:
                self._heard = payload
                self._send_down(self._answer(payload))
            else:
                self._receive(payload)

    def play_again(self, place: int) -> None:
        """Somebody sends again what was sent at any time before."""
        if self.seen:
            self._receive(self.seen[place * 7 % len(self.seen)])

    def corrupt(self, place: int) -> None:
        """Bits flip on the road, which here does not notice."""
        if self.down:
            payload = bytearray(self.down.pop(place % len(self.down)))
            payload[len(payload) * (place + 1) // 8 % len(payload)] ^= 1 << place
            self._receive(bytes(payload))

    def forge(self, number: int) -> None:
        """Somebody makes a part of their own: of everything, or of what the gate has."""
        held = self.gate.held().seen
        base = NOTHING if number % 2 else held
        rows = [Row("card", "forged", b"{}")]
        weighed = weight("card", "forged", b"{}")
        upto = Mark(held.epoch, held.version + 1, moved(base.digest, added=weighed))
        (payload,) = pack(
            (base, upto), rows, site=SITE, at_ms=self.now, seal=lambda document: seal(document, WHAT, STRANGER)
        )
        self._receive(payload)

    def swap_rows(self, place: int) -> None:
        """Somebody puts the rows of one part below the title of another."""
        if len(self.seen) > 1:
            one, other = (self._part(self.seen[at % len(self.seen)]) for at in (place, place + 1))
            self._receive(encode(Part(title=other.title, rows=one.rows)))

    @staticmethod
    def _part(payload: bytes) -> Part:
        return msgspec.msgpack.decode(inflate(payload), type=Part)

    def wait(self, ms: int) -> None:
        """Time passes."""
        self.now += ms
        self.poll()

    # the shells

    def _note(self) -> None:
        self.ever.states[self.office.mark] = self.office.state()

    def _answer(self, payload: bytes) -> Answer:
        answer = self.publisher.answer(decode_have(payload), self.now)
        if isinstance(answer, OpenEpoch) and self.made_of.opens_epochs:
            self.office.change((), epoch=max(answer.above, self.office.mark.epoch) + 1)
            self._note()
            answer = self.publisher.answer(decode_have(payload), self.now)
        return answer

    def _send_down(self, answer: Answer) -> None:
        match answer:
            case Parts(payloads):
                self.down.extend(payloads)
                self.seen.extend(payloads)
            case NotAnswered(reason):
                self.not_answered.append(reason)

    def _receive(self, payload: bytes) -> None:
        self.carry_out(self.follower.received(payload, self.now))

    def poll(self) -> None:
        """What is due."""
        for _ in range(1_000):
            due = self.follower.deadline()
            if due is None or due > self.now:
                return
            self.carry_out(self.follower.poll(self.now))
        raise AssertionError("the follower wants to be polled for ever")

    def carry_out(self, actions: Sequence[Action]) -> None:
        """Do what the follower says, until the power goes."""
        try:
            for action in actions:
                self._power()
                self._do(action)
        except Crash:
            self.crash(0)
        self.check()

    def _power(self) -> None:
        if self.crash_after is not None:
            self.crash_after -= 1
            if self.crash_after < 0:
                raise Crash

    def _do(self, action: Action) -> None:
        match action:
            case Send(payload):
                self.up.append(payload)
            case Take() | TakeStaged():
                matched = self.gate.take(action) if isinstance(action, Take) else self.gate.take_staged()
                self._power()
                if matched:
                    self.carry_out(self.follower.taken(self.now))
                else:
                    self.carry_out(self.follower.mismatched(self.now))
            case Stage() | DropStaged():
                if isinstance(action, Stage):
                    self.gate.stage(action)
                else:
                    self.gate.drop()
                self._power()
                self.carry_out(self.follower.staged(self.now))
            case Confirm():
                self.gate.confirm(action)
            case Refused(reason):
                self.refused.append(reason)

    def settle(self) -> None:
        """A road that works, for a while: no step is checked."""
        for _ in range(10):
            self.wait(5_000)
            while self.up or self.down:
                self.arrive(self.up, 0)
                self.arrive(self.down, 0)
                self.poll()

    def calm(self) -> None:
        """A road that works, until the gate has what the office has."""
        self.crash_after = None
        self.start_gate()
        for _ in range(200):
            self.poll()
            while self.up or self.down:
                self.arrive(self.up, 0)
                self.arrive(self.down, 0)
                self.poll()
            if self.is_there():
                return
            self.wait(5_000)

    def is_there(self) -> bool:
        """Whether the gate has what the office has."""
        held = self.gate.held()
        return held.whole and held.seen == self.office.mark

    def check(self) -> None:
        """Always: the gate's rows are those of one state that an office had, and never of an earlier one than before."""
        held = self.gate.held()
        assert held.seen.order >= self.ever.reached, "the gate went back"
        self.ever.reached = held.seen.order
        if held.whole and not self.rotten:
            assert self.gate.holds(self.ever.states.get(held.seen)), "a state that no office ever had"
