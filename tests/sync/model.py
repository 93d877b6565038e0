"""Every interleaving of sender, road and receiver, to a depth: the real ones, one move at a time, breadth first.

A world is the gate's log and sender, the office, and what is on the road between them. From each world every move that is
possible is made: write a record, let the sender do what is due (or wait until something is), bring any message of the
road to its end, lose it or double it, take it with the answer lost, cut the link, restart the gate, put an image of its
card back, restore the office from a backup, trim. Worlds in which everything will go on alike are met once.

In every world it is looked at
- the office: each number of a log once, held or named as missing, in order, its chain whole; no record twice but those
  that an imaged card did not know to have arrived;
- every acknowledgement: the office has committed what it names, when it answers, and what it told the gate before;
- what comes of it: when nothing more goes wrong, everything that the gate holds is at the office within `PATIENCE` moves,
  and so is everything it ever wrote but for what went with a card or an office that was put back.

The road keeps no order, so it is a heap here, and a message may come at any time: reordering and delay cost no move. Time
passes only when the sender waits for it, and is kept relative to now. What bounds the search beside its depth: how many
records are written, how many messages are on the road at once, and one image and one backup, taken at any moment and put
back any number of times. An end that crashes has what it committed: a message that it had not yet taken is lost, one that
it had taken goes unanswered.

    python -m tests.sync.model --depth 8                 from the first record on
    python -m tests.sync.model --depth 16 --faults 2     deeper, with at most two things that go wrong
    python -m tests.sync.model --begin rewound --depth 7
"""

import hashlib
import marshal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Final, TypeVar

import click

from sync.log.earlier import Earlier, HasEarlier
from sync.log.messages import Ack, Batch, Gone, Upward
from sync.log.receiver import Decision, decode_upward, receive
from sync.log.sender import NEW_LOG_MS, Acknowledged, Action, Send, Sender, decode_downward
from sync.log.view import Head
from tests.sync.road import KeptLog, MemoryAside, MemoryLog, Office, World

RECORDS: Final = 3  # that the gate may write beyond those of the beginning
ROAD: Final = 3  # messages on the road, each way; more is not looked at
PATIENCE: Final = 120  # moves until everything is across; ten minutes of them wait for a second new log
FAULTS: Final = frozenset(
    {
        "lose-up",
        "lose-down",
        "double-up",
        "double-down",
        "unanswered",
        "cut",
        "restart",
        "put-back",
        "restore",
        "remove-aside",
    }
)
Move = tuple[str, int]
Decide = Callable[[Upward, Head], Decision]


class Witness(Office):
    """An office whose every answer is compared with what it has committed."""

    def __init__(self, decide: Decide = receive) -> None:
        super().__init__(decide)
        self.committed: set[bytes] = set()  # every body it ever held

    def take(self, payload: bytes) -> bytes:
        """Take a message. Returns the answer."""
        answer = super().take(payload)
        self.committed.update(self.bodies())
        told = decode_downward(answer)
        if isinstance(told, Ack):
            cursor = self.logs[told.log_id].cursor
            assert (told.seq, told.hash) == cursor, f"it acknowledges {told.seq} and has committed {cursor.seq}"
        return answer

    def check(self) -> None:
        """As `Office.check`, and what it holds of a log is in the order in which it was written."""
        super().check()
        for log in self.logs.values():
            numbers = [record.seq for record in log.records]
            assert numbers == sorted(numbers), "out of order"

    def twin(self) -> "Witness":
        """The same, to go another way from here."""
        twin = copy(self)
        twin.committed = set(self.committed)
        twin.logs = {name: KeptLog(log.cursor, list(log.records), list(log.missing)) for name, log in self.logs.items()}
        return twin


class Explored(World):
    """The road's model, to be copied at every fork of the way."""

    office: Witness

    def __init__(self, decide: Decide = receive, make_sender: Callable[[MemoryLog], Sender] = Sender) -> None:
        self.linked = False
        super().__init__(decide, make_sender)
        self.office = Witness(decide)

    # what the model adds to the moves of `World`

    def connect(self) -> None:
        """The link comes up."""
        self.linked = True
        super().connect()

    def disconnect(self) -> None:
        """The link goes down."""
        self.linked = False
        super().disconnect()

    def carry_out(self, actions: Sequence[Action | HasEarlier], *, of_log: bool = True) -> None:
        """Do what the sender says; believe it only what is so."""
        for action in actions:
            if isinstance(action, Acknowledged):
                told = {record.body or b"" for record in self.log.records[: action.seq]}
                assert told <= self.office.committed, f"{action.seq} counts as acknowledged, and was never committed"
        super().carry_out(actions, of_log=of_log)

    def tick(self) -> None:
        """The sender does what is due, or waits for what will be."""
        due = self.due()
        assert due is not None, "the sender waits for nothing, and nothing is on its way"
        self.now = max(self.now, due)
        self.poll_once()

    def keep_order(self) -> None:
        """The road has none."""
        self.up.sort()
        self.down.sort()
        self.refused.clear()

    def look(self) -> None:
        """What must be so at any time."""
        self.office.check()
        bodies = self.office.bodies()
        twice = {body for body in bodies if bodies.count(body) > 1} - self.may_be_twice
        assert not twice, f"doubled: {twice}"

    def is_settled(self) -> bool:
        """Whether everything is across, and nothing on the road."""
        whole = self.linked and not self.up and not self.down and self.log.acked == self.log.head().seq
        return whole and self._is_whole() and self.sender.rests and self._earlier_due() is None

    def go_right(self) -> None:
        """The next move of a world in which nothing goes wrong any more."""
        if not self.linked:
            self.connect()
        elif self.down:
            self.arrive(self.down, 0)
        elif self.up:
            self.arrive(self.up, 0)
        else:
            self.tick()
        self.keep_order()

    def twin(self) -> "Explored":
        """The same, to go another way from here. Images and backups are never changed, and shared."""
        twin = copy(self)
        twin.log = _log_twin(self.log)
        twin.asides = [_log_twin(aside) for aside in self.asides]
        twin.sender = _sender_twin(self.sender, twin.log)
        twin.earlier = _earlier_twin(self.earlier, twin)
        twin.office = self.office.twin()
        twin.places = {body: set(places) for body, places in self.places.items()}
        for name in ("up", "down", "refused", "written", "may_be_gone", "may_be_twice"):
            setattr(twin, name, copy(getattr(self, name)))
        return twin

    def key(self) -> bytes:
        """Equal for worlds from which everything goes on alike. Time is told from now."""
        parts = (
            _sender_key(self.sender, self.now),
            _earlier_key(self.earlier, self.now),
            _log_key(self.log),
            tuple(map(_aside_key, self.asides)),
            None if self._card is None else (_log_key(self._card[0]), *map(_aside_key, self._card[1])),
            _office_key(self.office.logs),
            None if self._backup is None else _office_key(self._backup),
            tuple(self.up),
            tuple(self.down),
            self._bodies,
            self._logs,
            self.card_was_put_back,
            *(tuple(sorted(some)) for some in (self.may_be_gone, self.may_be_twice, self.office.committed)),
        )
        # version 2, unlike later ones, gives equal bytes for equal parts
        whole = marshal.dumps(parts, 2)  # type: ignore[arg-type]  # what it cannot take, it refuses
        return hashlib.blake2b(whole, digest_size=16).digest()


class OffersNoEarlier(Explored):
    """A gate that forgets its earlier logs."""

    def _offered(self) -> Sequence[MemoryAside]:
        return ()


class DeletesWhenSent(Explored):
    """A gate that takes the broker's word (PUBACK) for the office's: what was sent is deleted."""

    def carry_out(self, actions: Sequence[Action | HasEarlier], *, of_log: bool = True) -> None:
        """Do what the sender says, and too much."""
        super().carry_out(actions, of_log=of_log)
        for action in actions:
            if (
                of_log
                and isinstance(action, Send)
                and isinstance(message := decode_upward(action.payload), Batch | Gone)
            ):
                self.log.acked = self.log.trimmed = max(self.log.trimmed, message.upto)


# copies and keys: they know every attribute that changes, and refuse one of a kind they don't


L = TypeVar("L", bound=MemoryLog)


def _log_twin(log: L) -> L:
    twin = copy(log)
    twin.records, twin.hashes = list(log.records), list(log.hashes)
    return twin


def _sender_twin(sender: Sender, log: MemoryLog) -> Sender:
    twin = copy(sender)
    twin._log = log
    twin._window = copy(sender._window)
    twin._window._sent = copy(sender._window._sent)
    return twin


def _earlier_twin(earlier: Earlier, world: Explored) -> Earlier:
    twin = copy(earlier)
    twin._logs = world._offered
    by_name = {aside.log_id: aside for aside in world.asides}
    twin._waiting = [by_name[log.log_id] for log in earlier._waiting]
    if earlier._log is not None and earlier._sender is not None:
        log = by_name[earlier._log.log_id]
        twin._log, twin._sender = log, _sender_twin(earlier._sender, log)
    return twin


def _earlier_key(earlier: Earlier, now: int) -> tuple[object, ...]:
    sender = None if earlier._sender is None else _sender_key(earlier._sender, now)
    return tuple(log.log_id for log in earlier._waiting), sender


def _aside_key(aside: MemoryAside) -> tuple[object, ...]:
    return *_log_key(aside), len(aside.records), tuple(sorted(aside.broken))


def _log_key(log: MemoryLog) -> tuple[object, ...]:
    return log.number, *log.head(), log.trimmed, log.acked


def _office_key(logs: dict[str, KeptLog]) -> tuple[object, ...]:
    return tuple(
        (name, tuple(log.cursor), tuple(record.body for record in log.records), tuple(log.missing))
        for name, log in sorted(logs.items())
    )


def _sender_key(sender: Sender, now: int) -> tuple[object, ...]:
    window = sender._window
    own, measured = vars(sender) | {"_log": None, "_window": None}, vars(window) | {"_sent": None}
    # What nothing depends on any more is told as if it were now, or never was.
    if own["_cursor"] is None:
        own |= {"_last": None, "_heard_at": None}  # set anew with the next cursor
    if own["_replaced_at"] is not None and now - own["_replaced_at"] >= NEW_LOG_MS:
        own["_replaced_at"] = None
    measured["_acked_at"] = max(window._acked_at, now if window.oldest_ms is None else window.oldest_ms)
    if window.oldest_ms is None or window.oldest_ms >= window._grown_at:
        measured["_grown_at"] = None
    sent = tuple((message.upto.seq, message.size, message.at_ms - now) for message in window._sent)
    return sent, *(_plain(name, value, now) for name, value in [*own.items(), *measured.items()])


def _plain(name: str, value: object, now: int) -> object:
    if isinstance(value, Head):
        return tuple(value)
    if value is not None and not isinstance(value, int | float | str):
        raise TypeError(f"{name} is a {type(value).__name__}: the model must learn to copy and compare it")
    is_time = isinstance(value, int) and name.endswith(("_at", "_wake", "_ms"))
    return value - now if is_time and isinstance(value, int) else value


# moves


def moves(world: Explored, records: int) -> Iterator[Move]:
    """What may happen next; `records` is how many bodies the gate may have written in all."""
    if world._bodies < records:
        yield "append", 0
    if world.due() is not None:
        yield "tick", 0
    for name, road in (("up", world.up), ("down", world.down)):
        for place in range(len(road)):
            if place and road[place] == road[place - 1]:
                continue  # alike
            yield name, place
            yield f"lose-{name}", place
            yield f"double-{name}", place
            if name == "up":
                yield "unanswered", place
    yield from _turns(world)


def _turns(world: Explored) -> Iterator[Move]:
    yield ("cut" if world.linked else "link"), 0
    yield "restart", 0
    yield ("image" if world._card is None else "put-back"), 0
    yield ("back-up" if world._backup is None else "restore"), 0
    if world.log.acked > world.log.trimmed:
        yield "trim", 0
    if any(aside.records for aside in world.asides):
        yield "remove-aside", 0


def make(world: Explored, move: Move) -> None:
    """Make a move, and look. Raises AssertionError for what must not be."""
    what, place = move
    doing: dict[str, Callable[[], object]] = {
        "append": lambda: world.append(1),
        "tick": world.tick,
        "up": lambda: world.arrive(world.up, place),
        "unanswered": lambda: world.office.take(world.up.pop(place)),
        "lose-up": lambda: world.up.pop(place),
        "double-up": lambda: world.up.append(world.up[place]),
        "down": lambda: world.arrive(world.down, place),
        "lose-down": lambda: world.down.pop(place),
        "double-down": lambda: world.down.append(world.down[place]),
        "link": world.connect,
        "cut": world.disconnect,
        "restart": world.restart,
        "image": world.image_card,
        "put-back": world.put_card_back,
        "back-up": world.back_up,
        "restore": world.restore,
        "trim": world.trim,
        "remove-aside": lambda: world.remove_aside(0),
    }
    doing[what]()
    world.keep_order()
    world.look()


def goes_wrong(world: Explored, move: Move) -> bool:
    """Whether a move counts against the number of faults: also a wait that ends before a message which is on its way."""
    if move[0] != "tick":
        return move[0] in FAULTS
    due = world.due()
    return due is not None and due > world.now and bool(world.up or world.down)


# beginnings


def fresh(world: Explored) -> Explored:
    """One record, and the first connection."""
    return world


def streaming(world: Explored) -> Explored:
    """The cursor is known, and two batches are on their way."""
    world.calm()
    for _ in range(2):
        world.append(1)
        world.poll()
    return world


def restored(world: Explored) -> Explored:
    """The office was put back to an older backup, and the gate has not noticed."""
    world.calm()
    world.back_up()
    world.append(1)
    world.calm()
    world.restore()
    return world


def rewound(world: Explored) -> Explored:
    """The card was imaged, went on, and was put back; an old acknowledgement is still on the road."""
    world.calm()
    world.image_card()
    world.restart()
    world.poll()
    late = world.office.take(world.up.pop())
    world.append(2)
    world.calm()
    world.put_card_back()
    world.down.append(late)
    return world


def replaced(world: Explored) -> Explored:
    """The office has a backup from before the gate gave its log up, which lies aside."""
    world.calm()
    world.back_up()
    world.append(1)
    world.calm()
    world.append(1)
    world.give_up()
    world.calm()
    world.restore()
    return world


BEGINNINGS: Final = {begin.__name__: begin for begin in (fresh, streaming, restored, rewound, replaced)}


# exploring


@dataclass
class Seen:
    """What an exploration has seen. `script` leads to the first world that must not be, and `wrong` says why."""

    worlds: int = 0
    moves: int = 0
    depth: int = 0  # of the last level that was looked at whole
    ended: bool = False  # there was no world left to go on from
    longest: int = 0  # moves until everything was across, from whatever world
    wrong: str = ""
    script: tuple[Move, ...] = ()

    def __str__(self) -> str:
        text = f"{self.worlds} worlds by {self.moves} moves, depth {self.depth}{', the end' if self.ended else ''}"
        return f"{text}; healed within {self.longest} moves"


@dataclass
class Exploration:
    """One search. `faults`: how many things may go wrong on one way; None: any number."""

    start: Explored
    depth: int
    faults: int | None = None
    records: int = RECORDS
    road: int = ROAD
    seen: Seen = field(default_factory=Seen)
    _from: dict[bytes, tuple[bytes, Move] | None] = field(default_factory=dict)
    _healed: dict[bytes, int] = field(default_factory=dict)

    def run(self, progress: Callable[[Seen], object] = lambda _: None) -> Seen:
        """Look at everything, or up to the first fault."""
        self.records += self.start._bodies
        self.start.keep_order()
        begin = self._name(self.start, 0)
        self._from[begin] = None
        level = [(self.start, begin, 0)]
        self.seen.worlds = 1
        while level and self.seen.depth < self.depth and not self.seen.wrong:
            level = self._next_level(level)
            self.seen.depth += 1
            self.seen.ended = not level
            progress(self.seen)
        return self.seen

    def _next_level(self, level: Sequence[tuple[Explored, bytes, int]]) -> list[tuple[Explored, bytes, int]]:
        found = []
        for world, name, gone_wrong in level:
            for move in moves(world, self.records):
                count = gone_wrong + (self.faults is not None and goes_wrong(world, move))
                if self.faults is not None and count > self.faults:
                    continue
                try:
                    other = self._step(world, name, move, count)
                except AssertionError as wrong:
                    self.seen.wrong, self.seen.script = str(wrong), (*self._way(name), move)
                    return []
                if other is not None:
                    found.append((*other, count))
        return found

    def _step(self, world: Explored, name: bytes, move: Move, count: int) -> tuple[Explored, bytes] | None:
        """The world after a move, where it is a new one."""
        twin = world.twin()
        make(twin, move)
        self.seen.moves += 1
        if len(twin.up) > self.road or len(twin.down) > self.road:
            return None
        key = twin.key()
        other = key + bytes([count])
        if other in self._from:
            return None
        self._heal(twin, key)
        self._from[other] = name, move
        self.seen.worlds += 1
        return twin, other

    def _name(self, world: Explored, count: int) -> bytes:
        return world.key() + bytes([count])

    def _heal(self, world: Explored, key: bytes) -> None:
        """Nothing goes wrong any more: everything gets across."""
        trail = []
        if key not in self._healed:
            world = world.twin()
        while key not in self._healed:
            if world.is_settled():
                world.check()
                self._healed[key] = 0
                break
            trail.append(key)
            assert len(trail) <= PATIENCE, f"not across within {PATIENCE} moves in which nothing went wrong"
            world.go_right()
            key = world.key()
        for steps, passed in enumerate(reversed(trail), self._healed[key] + 1):
            self._healed[passed] = steps
        longest = self._healed[trail[0] if trail else key]
        assert longest <= PATIENCE, f"not across within {PATIENCE} moves in which nothing went wrong"
        self.seen.longest = max(self.seen.longest, longest)

    def _way(self, name: bytes) -> list[Move]:
        way: list[Move] = []
        while (step := self._from[name]) is not None:
            name, move = step
            way.append(move)
        return way[::-1]


def explore(start: Explored, depth: int, faults: int | None = None, records: int = RECORDS) -> Seen:
    """Look at every world within `depth` moves of `start`."""
    return Exploration(start, depth, faults, records).run()


@click.command()
@click.option("--depth", default=7, show_default=True, type=click.IntRange(1), help="Moves.")
@click.option("--faults", type=click.IntRange(0, 255), help="At most so many things go wrong; default: any number.")
@click.option("--begin", default="fresh", show_default=True, type=click.Choice(list(BEGINNINGS)), help="Where from.")
@click.option("--records", default=RECORDS, show_default=True, type=click.IntRange(0), help="More that are written.")
@click.option("--road", default=ROAD, show_default=True, type=click.IntRange(1), help="Messages on the road, each way.")
def main(depth: int, faults: int | None, begin: str, records: int, road: int) -> None:
    """Explore the log's protocol. Exit code 1: something that must not be was found; the way there is printed."""
    begun = time.monotonic()

    def tell(seen: Seen) -> None:
        click.echo(f"{time.monotonic() - begun:8.1f} s  {seen}", err=True)

    seen = Exploration(BEGINNINGS[begin](Explored()), depth, faults, records, road).run(tell)
    click.echo(f"{begin}: {seen}")
    if seen.wrong:
        click.echo(f"wrong: {seen.wrong}\nafter: {' '.join(f'{what}:{place}' for what, place in seen.script)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
