"""A model of the whole road: a gate's log in memory, an office that keeps what it takes, and a road that does its worst."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

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

    def replace(self, number: int) -> None:
        """Another log, with what was not acknowledged carried over."""
        carried = [record.body or b"" for record in self.records[max(self.acked, self.trimmed) :]]
        self.__init__(number)  # type: ignore[misc]  # it is the same object to whoever holds it
        self.append(b"opened-%d" % number, *carried)


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
        self.refused: list[str] = []
        self._bodies = 0
        self._logs = 1
        self._make_sender = make_sender
        self._card: MemoryLog | None = None
        self._backup: dict[str, KeptLog] | None = None
        self.sender = make_sender(self.log)
        self.append(1)
        self.connect()

    # steps

    def append(self, count: int) -> None:
        """The gate writes records."""
        bodies = [b"body-%d" % number for number in range(self._bodies, self._bodies + count)]
        self._bodies += count
        self.written.update(bodies)
        self.log.append(*bodies)
        self.carry_out(self.sender.appended(self.now))

    def connect(self) -> None:
        """The link comes up."""
        self.carry_out(self.sender.connected(self.now))

    def disconnect(self) -> None:
        """The link goes down; what is on its way may still arrive."""
        self.sender.disconnected()

    def restart(self) -> None:
        """The gate's process ends and starts."""
        self.sender = self._make_sender(self.log)
        self.connect()

    def image_card(self) -> None:
        """Somebody makes an image of the gate's card."""
        self._card = deepcopy(self.log)

    def put_card_back(self) -> None:
        """… and puts it back: the gate is rewound."""
        if self._card is not None:
            before = set(self.log.held())
            self.log = deepcopy(self._card)
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

    def wait(self, ms: int) -> None:
        """Time passes."""
        self.now += ms
        self.poll()

    # the gate's shell

    def poll(self) -> None:
        """What is due."""
        for _ in range(10_000):
            due = self.sender.deadline()
            if due is None or due > self.now:
                return
            self.carry_out(self.sender.poll(self.now))
        raise AssertionError("the sender wants to be polled for ever")

    def carry_out(self, actions: Sequence[Action]) -> None:
        """Do what the sender says."""
        for action in actions:
            match action:
                case Send(payload):
                    self.up.append(payload)
                case Acknowledged(seq, digest):
                    assert self.log.hash_at(seq) == digest
                    self.log.acked = seq
                case OpenNewLog():
                    self._logs += 1
                    self.log.replace(self._logs)
                    self.carry_out(self.sender.log_replaced(self.log, self.now))
                case Refused(reason):
                    self.refused.append(reason)

    def calm(self) -> None:
        """A road that works, for as long as the sender has something to say."""
        self.restart()
        for _ in range(400):
            self.poll()
            while self.up or self.down:
                self.arrive(self.up, 0)
                self.arrive(self.down, 0)
                self.poll()
            if self.log.acked == self.log.head().seq and self._is_whole():
                return
            self.wait(5_000)

    def _is_whole(self) -> bool:
        kept = self.office.logs.get(self.log.log_id)
        return kept is not None and kept.cursor == self.log.head()

    def _named_as_missing(self) -> set[bytes]:
        """What a card that was put back holds again, after it had been told as gone: a named gap at the office."""
        kept = self.office.logs.get(self.log.log_id)
        if kept is None or not self.card_was_put_back:
            return set()
        gone = {seq for first, last in kept.missing for seq in range(first, last + 1)}
        return {record.body or b"" for record in self.log.records if record.seq in gone}

    def check(self) -> None:
        """After `calm`: nothing is lost, nothing doubled."""
        self.office.check()
        assert self._is_whole(), "the office never got to the log's end"
        bodies = self.office.bodies()
        missing = (self.written - self.may_be_gone) | (set(self.log.held()) - self._named_as_missing())
        missing -= set(bodies)
        assert not missing, f"lost: {missing}"
        twice = {body for body in bodies if bodies.count(body) > 1} - self.may_be_twice
        assert not twice, f"doubled: {twice}"
