"""A model of the whole road: a gate's log in memory, an office that keeps what it takes, and a road that does its worst."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import takewhile

from sync.log.earlier import Earlier, HasEarlier
from sync.log.messages import Downward, Upward, encode
from sync.log.receiver import Decision, ForkFound, Reply, Store, StoreGap, decode_upward, receive
from sync.log.records import GENESIS, Record, body_hash, chain_hash
from sync.log.sender import Acknowledged, Action, OpenNewLog, Refused, Send, Sender
from sync.log.view import Head

BOOT = bytes(range(16))
SALT = bytes(16)


def log_id(number: int) -> str:
    """An id as logs have it."""
    return f"{number:032x}"


def a_record(seq: int, body: bytes | None = b"{}", kind: str = "mode") -> Record:
    """A record with this number."""
    digest = body_hash(SALT, b"erased" if body is None else body)
    salt = None if body is None else SALT
    return Record(seq, kind, 1_700_000_000_000 + seq, True, BOOT, 1000 * seq, body, salt, digest)


def chain(records: Sequence[Record], previous: bytes = GENESIS) -> list[bytes]:
    """Their hashes."""
    hashes = []
    for record in records:
        previous = chain_hash(previous, record)
        hashes.append(previous)
    return hashes


class MemoryLog:
    """A log in memory: `sync.log.view.LogView`, and what a journal does besides."""

    def __init__(self, number: int = 1) -> None:
        self.number = number
        self.records: list[Record] = []
        self.hashes: list[bytes] = []
        self.trimmed = 0
        self.acked = 0
        self.failing: Exception | None = None

    @property
    def log_id(self) -> str:
        """The log's id."""
        return log_id(self.number)

    def oldest(self) -> int:
        """The oldest record held."""
        return self.trimmed + 1

    def first_held(self, after: int) -> int:
        """The next that is held."""
        return max(after, self.trimmed) + 1

    def head(self) -> Head:
        """The last record."""
        return Head(len(self.records), self.hashes[-1] if self.hashes else GENESIS)

    def hash_at(self, seq: int) -> bytes | None:
        """The hash there."""
        self._may_fail()
        if seq == 0:
            return GENESIS
        return self.hashes[seq - 1] if self.trimmed <= seq <= len(self.hashes) else None

    def read(self, after: int, max_records: int, max_bytes: int) -> list[Record]:
        """Records from there on, within both bounds."""
        self._may_fail()
        if after < self.trimmed:
            return []
        found: list[Record] = []
        for record in self.records[after : after + max_records]:
            max_bytes -= len(record.body or b"") + 100
            if found and max_bytes < 0:
                break
            found.append(record)
        return found

    def _may_fail(self) -> None:
        if self.failing is not None:
            raise self.failing

    def append(self, *bodies: bytes) -> None:
        """Write records."""
        for body in bodies:
            record = a_record(len(self.records) + 1, body)
            self.hashes.append(chain_hash(self.head().hash, record))
            self.records.append(record)

    def trim(self) -> None:
        """Delete what was acknowledged."""
        self.trimmed = max(self.trimmed, self.acked)

    def held(self) -> list[bytes]:
        """The bodies that are still here."""
        return [record.body or b"" for record in self.records[self.trimmed :]]

    def replace(self, number: int, held: Head | None = None) -> "MemoryAside":
        """Another log, with what was not acknowledged carried over. The old one, as it is laid aside; `held`: what the office
        said that it has of it."""
        acked = Head(self.acked, self.hashes[self.acked - 1] if self.acked else GENESIS)
        aside = MemoryAside(self.number, self.records[: self.acked], self.hashes[: self.acked], self.trimmed)
        aside.held = held if held is not None and held.seq > acked.seq else acked
        carried = [record.body or b"" for record in self.records[max(self.acked, self.trimmed) :]]
        self.__init__(number)  # type: ignore[misc]  # it is the same object to whoever holds it
        self.append(b"opened-%d" % number, *carried)
        return aside


class MemoryAside(MemoryLog):
    """A log that was given up, as far as it was acknowledged. `broken`: numbers that cannot be read any more; `held`: the last
    one that the office is known to have had."""

    def __init__(self, number: int, records: list[Record], hashes: list[bytes], trimmed: int) -> None:
        super().__init__(number)
        self.records, self.hashes, self.trimmed = list(records), list(hashes), trimmed
        self.held = Head(0, GENESIS)
        self.broken: frozenset[int] = frozenset()

    def head(self) -> Head:
        """The last one that the office had."""
        return self.held

    def oldest(self) -> int:
        """The first that is still here."""
        return self.first_held(0)

    def first_held(self, after: int) -> int:
        """The next that is here: behind one that is broken, what comes after the next that is not."""
        if after < self.trimmed:
            return self.trimmed + 1
        if after >= len(self.records):
            return max(self.held.seq, after) + 1
        if after + 1 not in self.broken and self.hash_at(after) is not None:
            return after + 1
        for seq in range(after + 2, len(self.records)):
            if seq not in self.broken:
                return seq + 1
        return self.held.seq + 1

    def hash_at(self, seq: int) -> bytes | None:
        """The hash there."""
        if seq == self.held.seq:
            return self.held.hash
        return None if seq in self.broken else super().hash_at(seq)

    def read(self, after: int, max_records: int, max_bytes: int) -> list[Record]:
        """Records from there on, up to one that is broken."""
        if self.first_held(after) != after + 1:
            return []
        found = super().read(after, max_records, max_bytes)
        return list(takewhile(lambda record: record.seq not in self.broken, found))

    def to_bring(self) -> set[bytes]:
        """The bodies that must come to an office that has nothing of it."""
        here, after = set(), 0
        while (seq := self.first_held(after)) <= len(self.records):
            here.add(self.records[seq - 1].body or b"")
            after = seq
        return here


@dataclass
class KeptLog:
    """One log as the office has it."""

    cursor: Head = field(default_factory=lambda: Head(0, GENESIS))
    records: list[Record] = field(default_factory=list)
    missing: list[tuple[int, int]] = field(default_factory=list)


class Office:
    """Keeps logs. `decide` is the receiver: another one for a positive control."""

    def __init__(self, decide: Callable[[Upward, Head], Decision] = receive) -> None:
        self.logs: dict[str, KeptLog] = {}
        self.forks = 0
        self._decide = decide

    def take(self, payload: bytes) -> bytes:
        """Take a message. Returns the answer."""
        message = decode_upward(payload)
        log = self.logs.setdefault(message.log_id, KeptLog())
        decision = self._decide(message, log.cursor)
        answer: Downward
        match decision:
            case Store():
                log.records.extend(decision.records)
                log.cursor = Head(decision.records[-1].seq, decision.hashes[-1])
                answer = decision.ack
            case StoreGap():
                log.missing.append((decision.after + 1, decision.upto.seq))
                log.cursor = decision.upto
                answer = decision.ack
            case ForkFound():
                self.forks += 1
                answer = decision.fork
            case Reply():
                answer = decision.ack
        return encode(answer)

    def bodies(self) -> list[bytes]:
        """Everything it has, of all logs."""
        return [record.body or b"" for log in self.logs.values() for record in log.records]

    def check(self) -> None:
        """Every log is whole up to its cursor: each number once, held or known to be gone; and its chain holds."""
        for log in self.logs.values():
            seqs = [record.seq for record in log.records]
            seqs += [seq for first, last in log.missing for seq in range(first, last + 1)]
            assert sorted(seqs) == list(range(1, log.cursor.seq + 1)), "lost or doubled within a log"
            if not log.missing:
                assert (chain(log.records) or [GENESIS])[-1] == log.cursor.hash, "the chain does not hold"


class World:
    """Gate, road and office, moved by a script of steps. Nothing here knows the time but `now`."""

    def __init__(
        self,
        decide: Callable[[Upward, Head], Decision] = receive,
        make_sender: Callable[[MemoryLog], Sender] = Sender,
    ) -> None:
        self.now = 0
        self.log = MemoryLog()
        self.office = Office(decide)
        self.up: list[bytes] = []
        self.down: list[bytes] = []
        self.written: set[bytes] = set()
        self.may_be_gone: set[bytes] = set()  # went with a card or an office that was put back
        self.may_be_twice: set[bytes] = set()  # carried over by a log that did not know that they had arrived
        self.office_was_restored = False
        self.card_was_put_back = False
        self.asides: list[MemoryAside] = []  # what lies beside the log, the oldest first
        self.places: dict[bytes, set[tuple[str, int]]] = {}  # where each record ever stood
        self.refused: list[str] = []
        self._bodies = 0
        self._logs = 1
        self._make_sender = make_sender
        self._card: tuple[MemoryLog, list[MemoryAside]] | None = None
        self._backup: dict[str, KeptLog] | None = None
        self.sender = make_sender(self.log)
        self.earlier = Earlier(self._offered)
        self.append(1)
        self.connect()

    # steps

    def append(self, count: int) -> None:
        """The gate writes records."""
        bodies = [b"body-%d" % number for number in range(self._bodies, self._bodies + count)]
        self._bodies += count
        self.written.update(bodies)
        self.log.append(*bodies)
        self._note_places()
        self.carry_out(self.sender.appended(self.now))

    def _note_places(self) -> None:
        for record in self.log.records:
            self.places.setdefault(record.body or b"", set()).add((self.log.log_id, record.seq))

    def _offered(self) -> Sequence[MemoryAside]:
        return self.asides

    def connect(self) -> None:
        """The link comes up."""
        self.carry_out(self.sender.connected(self.now))

    def disconnect(self) -> None:
        """The link goes down; what is on its way may still arrive."""
        self.sender.disconnected()
        self.earlier.disconnected()

    def restart(self) -> None:
        """The gate's process ends and starts."""
        self.sender = self._make_sender(self.log)
        self.earlier = Earlier(self._offered)
        self.connect()

    def give_up(self) -> None:
        """The gate's log is damaged: another one, with everything that it does not know to have arrived."""
        self.may_be_twice |= set(self.log.held()[max(self.log.acked - self.log.trimmed, 0) :])
        self._replace(None)
        self.restart()

    def remove_aside(self, place: int) -> None:
        """Somebody deletes the file of an earlier log."""
        if self.asides:
            aside = self.asides[place % len(self.asides)]
            aside.records, aside.hashes, aside.broken = [], [], frozenset()

    def break_aside(self, place: int) -> None:
        """A record of an earlier log cannot be read any more."""
        if self.asides:
            aside = self.asides[place % len(self.asides)]
            aside.broken |= {aside.trimmed + 1 + place}

    def image_card(self) -> None:
        """Somebody makes an image of the gate's card."""
        self._card = deepcopy((self.log, self.asides))

    def put_card_back(self) -> None:
        """… and puts it back: the gate is rewound."""
        if self._card is not None:
            before = set(self.log.held())
            self.log, self.asides = deepcopy(self._card)
            self.may_be_gone |= before - set(self.log.held())
            self.may_be_twice |= set(self.log.held())
            self.card_was_put_back = True
            self.restart()

    def back_up(self) -> None:
        """The office is backed up."""
        self._backup = deepcopy(self.office.logs)

    def restore(self) -> None:
        """… and put back."""
        if self._backup is not None:
            had = set(self.office.bodies())
            self.office.logs = deepcopy(self._backup)
            self.may_be_gone |= had - set(self.office.bodies())
            self.office_was_restored = True

    def trim(self) -> None:
        """The gate deletes what was acknowledged."""
        self.log.trim()

    def arrive(self, road: list[bytes], place: int, *, times: int = 1) -> None:
        """Something on the road arrives: not (0), once, or again and again; in any order."""
        if not road:
            return
        payload = road.pop(place % len(road))
        for _ in range(times):
            if road is self.up:
                self.down.append(self.office.take(payload))
            else:
                self.carry_out(self.sender.received(payload, self.now))
                self.carry_out(self.earlier.received(payload, self.now), of_log=False)

    def wait(self, ms: int) -> None:
        """Time passes."""
        self.now += ms
        self.poll()

    # the gate's shell

    def poll(self) -> None:
        """What is due."""
        for _ in range(10_000):
            due = self.due()
            if due is None or due > self.now:
                return
            self.poll_once()
        raise AssertionError("the sender wants to be polled for ever")

    def due(self) -> int | None:
        """When one of the senders wants to be polled."""
        dues = [due for due in (self.sender.deadline(), self._earlier_due()) if due is not None]
        return min(dues) if dues else None

    def _earlier_due(self) -> int | None:
        return self.earlier.deadline(self.now) if self.sender.rests else None

    def poll_once(self) -> None:
        """The log's sender first."""
        due = self.sender.deadline()
        if due is not None and due <= self.now:
            self.carry_out(self.sender.poll(self.now))
        elif self._earlier_due() is not None:
            self.carry_out(self.earlier.poll(self.now), of_log=False)

    def carry_out(self, actions: Sequence[Action | HasEarlier], *, of_log: bool = True) -> None:
        """Do what a sender says. `of_log`: the log's own, not that of an earlier log."""
        for action in actions:
            match action:
                case Send(payload):
                    self.up.append(payload)
                case HasEarlier():
                    assert not of_log
                case Acknowledged(seq, digest):
                    assert of_log
                    assert self.log.hash_at(seq) == digest
                    self.log.acked = seq
                case OpenNewLog(_, _, held):
                    assert of_log
                    self._replace(held)
                    self.carry_out(self.sender.log_replaced(self.log, self.now))
                case Refused(reason):
                    self.refused.append(reason)
        if self.sender.asks:
            self.earlier.offer()

    def _replace(self, held: Head | None) -> None:
        self._logs += 1
        aside = self.log.replace(self._logs, held)
        if aside.held.seq:
            self.asides = [*(each for each in self.asides if each.number != aside.number), aside]
        self._note_places()

    def calm(self) -> None:
        """A road that works, for as long as the sender has something to say."""
        self.restart()
        for _ in range(400):
            self.poll()
            while self.up or self.down:
                self.arrive(self.up, 0)
                self.arrive(self.down, 0)
                self.poll()
            if self.log.acked == self.log.head().seq and self._is_whole() and self._earlier_due() is None:
                return
            self.wait(5_000)

    def _is_whole(self) -> bool:
        kept = self.office.logs.get(self.log.log_id)
        return kept is not None and kept.cursor == self.log.head()

    def _named_as_missing(self) -> set[bytes]:
        """What stands in a named gap at the office."""
        gone = {
            (log_id, seq)
            for log_id, kept in self.office.logs.items()
            for first, last in kept.missing
            for seq in range(first, last + 1)
        }
        return {body for body, places in self.places.items() if places & gone}

    def to_bring(self) -> set[bytes]:
        """What is still there of all logs. A card that was put back may hold again what has been told as gone."""
        held = set(self.log.held())
        for aside in self.asides:
            held |= aside.to_bring()
        return held - self._named_as_missing() if self.card_was_put_back else held

    def check(self) -> None:
        """After `calm`: nothing is lost, nothing doubled."""
        self.office.check()
        assert self._is_whole(), "the office never got to the log's end"
        bodies = self.office.bodies()
        missing = (self.written - self.may_be_gone) | self.to_bring()
        missing -= set(bodies)
        assert not missing, f"lost: {missing}"
        if not self.card_was_put_back:
            unnamed = self.written - set(bodies) - self._named_as_missing()
            assert not unnamed, f"lost, and in no range: {unnamed}"
        twice = {body for body in bodies if bodies.count(body) > 1} - self.may_be_twice
        assert not twice, f"doubled: {twice}"
