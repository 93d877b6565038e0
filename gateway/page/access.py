"""Who is logged in, and who has guessed too often. In memory alone, and pure: the time is an argument, and so is chance.

Theory of operation. A log-in is a token; it ends when nothing was done with it for the idle time, at its longest time, when its
guard logs out, is taken off the file, or is given another PIN. Three wrong PINs are a slip; each further one makes that guard wait at that address, and
that address wait for any guard, twice as long as before. A tablet is known for the guards who have logged in there by PIN: their
guesses count by tablet and guard, so that nobody elsewhere can lock a guard out of his own, and nobody who logs in himself in between
guesses for ever at the leader's PIN. Only there does their card log in: whoever else waits for one gets nothing, neither a stranger nor
a colleague with a browser of his own.
"""

import hashlib
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

FREE_TRIES: Final = 3
FIRST_WAIT_MS, LONGEST_WAIT_MS = 5_000, 900_000
FORGOTTEN_MS: Final = 3_600_000  # a guess this old counts no more
MOST_KEYS, MOST_SESSIONS, MOST_TABLETS = 1024, 32, 32
MOST_OF_TABLET: Final = 32  # guards of whom it is known that they logged in there


@dataclass(frozen=True, slots=True)
class Session:
    """A log-in, by the clock of this machine's boot. `mark`: the guard's, as he logged in."""

    token: str
    name: str
    began_ms: int
    used_ms: int
    mark: str = ""


class Sessions:
    """The log-ins that stand. `new_token` gives one that nobody can guess."""

    def __init__(self, idle_ms: int, longest_ms: int, new_token: Callable[[], str]) -> None:
        self._idle_ms = idle_ms
        self._longest_ms = longest_ms
        self._new_token = new_token
        self._open: dict[str, Session] = {}

    def begin(self, name: str, now_ms: int, mark: str = "") -> Session:
        """Log in. The session unused for longest ends when there are too many."""
        self._forget(now_ms)
        while len(self._open) >= MOST_SESSIONS:
            del self._open[min(self._open.values(), key=lambda each: each.used_ms).token]
        session = Session(self._new_token(), name, now_ms, now_ms, mark)
        self._open[session.token] = session
        return session

    def find(self, token: str, now_ms: int) -> Session | None:
        """Whose it is; None when it has ended."""
        self._forget(now_ms)
        return self._open.get(token)

    def used(self, token: str, now_ms: int) -> None:
        """Something was done with it."""
        self._open[token] = replace(self._open[token], used_ms=now_ms)

    def end(self, token: str) -> None:
        """Log out."""
        self._open.pop(token, None)

    def _forget(self, now_ms: int) -> None:
        over = [
            token
            for token, each in self._open.items()
            if now_ms - each.used_ms >= self._idle_ms or now_ms - each.began_ms >= self._longest_ms
        ]
        for token in over:
            del self._open[token]


class Tablets:
    """The tablets on which somebody has logged in by PIN, and who: since the gate started, for which a token is good as such; and before, of
    which the hash is known, and which may only look on (`may_watch`). `before`: as `kept` gave them; a mark is a guard's own until his
    PIN is set anew."""

    def __init__(
        self, new_token: Callable[[], str], before: Mapping[str, Mapping[str, str]] = MappingProxyType({})
    ) -> None:
        self._new_token = new_token
        self._known: dict[str, set[str]] = {}
        self._kept = {tablet: dict(marks) for tablet, marks in before.items()}

    @property
    def kept(self) -> Mapping[str, Mapping[str, str]]:
        """By the hash of the token: who has logged in there, and his mark at that time; the oldest first."""
        return self._kept

    def known(self, token: str) -> bool:
        """Whether somebody has logged in there since the gate started."""
        return token in self._known

    def knows(self, token: str, name: str) -> bool:
        """Whether this guard has, since then."""
        return name in self._known.get(token, ())

    def may_watch(self, token: str, marks: Mapping[str, str]) -> bool:
        """Whether anybody has logged in there, ever, who still may with the same PIN. `marks`: those of all guards, by name."""
        return any(marks.get(name) == mark for name, mark in self._kept.get(_hash(token), {}).items())

    def add(self, token: str, name: str, mark: str) -> str:
        """This guard has. Its token, a new one where it has none; the oldest are forgotten."""
        if _hash(token) not in self._kept:
            token = self._new_token()
        marks = self._kept.pop(_hash(token), {})
        marks.pop(name, None)
        self._kept[_hash(token)] = marks = dict([*marks.items(), (name, mark)][-MOST_OF_TABLET:])
        while len(self._kept) > MOST_TABLETS:
            oldest = next(iter(self._kept))
            del self._kept[oldest]
            self._known = {each: names for each, names in self._known.items() if _hash(each) != oldest}
        self._known.setdefault(token, set()).add(name)
        return token


def _hash(token: str) -> str:
    """A token is 256 random bits: its hash needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Guessed:
    count: int
    last_ms: int
    until_ms: int


class Guesses:
    """Wrong PINs, by whatever they count for."""

    def __init__(self) -> None:
        self._by: dict[str, _Guessed] = {}

    def wait_ms(self, keys: tuple[str, ...], now_ms: int) -> int:
        """How long nothing is heard of any of these."""
        return max((self._by[key].until_ms - now_ms for key in keys if key in self._by), default=0)

    def wrong(self, keys: tuple[str, ...], now_ms: int) -> int:
        """One more; how long to wait now, 0 while it may still be a slip."""
        for key in keys:
            before = self._by.pop(key, None)
            count = before.count if before is not None and now_ms - before.last_ms < FORGOTTEN_MS else 0
            if len(self._by) >= MOST_KEYS:
                del self._by[min(self._by, key=lambda each: self._by[each].last_ms)]
            self._by[key] = _Guessed(count + 1, now_ms, now_ms + _wait_ms(count + 1))
        return max(0, self.wait_ms(keys, now_ms))

    def right(self, keys: tuple[str, ...]) -> None:
        """The right one."""
        for key in keys:
            self._by.pop(key, None)

    def anybody_waits(self, now_ms: int) -> bool:
        """Whether somebody is locked out."""
        return any(each.until_ms > now_ms for each in self._by.values())


def place_of(address: str) -> str:
    """What guesses and connections of an address count for: of IPv6 its network of 64 bits, in which a machine has as many as it
    likes (RFC 8981)."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.IPv6Network((found, 64), strict=False))


def _wait_ms(count: int) -> int:
    if count < FREE_TRIES:
        return 0
    return int(min(FIRST_WAIT_MS * 2 ** min(count - FREE_TRIES, 20), LONGEST_WAIT_MS))
