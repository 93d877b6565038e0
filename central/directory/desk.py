"""Answers gates that ask for their directory, and tells them unasked when it has changed. It owns no thread and no link."""

from collections.abc import Callable, Iterator, Sequence, Set
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from central.directory.ahead import Gate, OrdersAhead
from central.directory.store import SiteSource, open_epoch
from sync.errors import MessageError
from sync.log.keyed import NOTHING, Mark
from sync.log.parts import Have, Seal, Verify, decode_have, pack
from sync.log.publisher import NotAnswered, OpenEpoch, Parts, Publisher

AGAIN: Final = timedelta(seconds=5)  # news of which a gate says nothing is told again
Refuse = Callable[[str, str], None]
"""Hears the gate, and why it was not answered."""


class _Heard(NamedTuple):
    site: str
    have: Have
    at: datetime


class Desk:
    """One for all sites and gates. `verify` believes what `seal` has signed, now and formerly; `ahead`: makes what goes before a
    transfer."""

    def __init__(self, *, seal: Seal, verify: Verify, ahead: OrdersAhead, refuse: Refuse) -> None:
        self._seal = seal
        self._verify = verify
        self._ahead = ahead
        self._refuse = refuse
        self._publishers: dict[str, Publisher] = {}
        self._heard: dict[str, _Heard] = {}
        self._told: dict[str, tuple[Mark, datetime]] = {}  # each gate, unasked

    def hear(self, gate: str, site: str, payload: bytes, now: datetime) -> Iterator[bytes]:
        """What to send to a gate of this site for what it says that it has: each as soon as it is made. Raises what the database
        raises."""
        try:
            have = decode_have(payload)
        except MessageError as error:
            self._refuse(gate, str(error))
            return
        self._heard[gate] = _Heard(site, have, now)
        yield from self._answer(gate, site, have, now)

    def forget(self, gate: str) -> None:
        """The gate is offline: it asks when it comes back."""
        self._heard.pop(gate, None)
        self._told.pop(gate, None)

    def gates(self) -> Set[str]:
        """Those that were heard, and not forgotten."""
        return self._heard.keys()

    def newest(self, site: str) -> Mark:
        """The newest state of a site. Raises what the database raises."""
        return SiteSource(site).newest()

    def title(self, site: str, newest: Mark, now: datetime) -> bytes:
        """What says that this state is the newest: a gate that has another asks for it."""
        (part,) = pack((newest, newest), (), site=site, at_ms=int(now.timestamp() * 1000), seal=self._seal)
        return part

    def has(self, gate: str) -> Mark:
        """The state that the gate said it decides by; NOTHING where it has not."""
        heard = self._heard.get(gate)
        return heard.have.seen if heard is not None and heard.have.whole else NOTHING

    def news(self, now: datetime) -> Iterator[tuple[str, Iterator[bytes]]]:
        """What to send to which gate, unasked: where a directory has changed since the gate was last heard, once, and again
        while it says nothing. Raises what the database raises; then it is news the next time."""
        newest = {site: SiteSource(site).newest() for site in {heard.site for heard in self._heard.values()}}
        for gate, heard in list(self._heard.items()):
            if self._is_news(gate, heard, newest[heard.site], now):
                yield gate, self._answer(gate, heard.site, msgspec.structs.replace(heard.have, room=1), now)
                self._told[gate] = newest[heard.site], now

    def _is_news(self, gate: str, heard: _Heard, newest: Mark, now: datetime) -> bool:
        if heard.have.whole and heard.have.seen == newest:
            return False
        told, at = self._told.get(gate, (NOTHING, heard.at))
        return told != newest or now - max(at, heard.at) >= AGAIN

    def _answer(self, gate: str, site: str, have: Have, now: datetime) -> Iterator[bytes]:
        """The orders first: to make a snapshot of a large site takes seconds, and to bring it may take minutes."""
        if have.site == site:
            forgotten = self._ahead.forgotten(Gate(gate, site), have)
            if forgotten is not None:
                open_epoch(site, forgotten, now)
            yield from self._ahead.news(Gate(gate, site), have)
        yield from self._transfer(gate, site, have, now)

    def _transfer(self, gate: str, site: str, have: Have, now: datetime) -> Sequence[bytes]:
        publisher = self._publishers.get(site)
        if publisher is None:
            publisher = Publisher(site, SiteSource(site), seal=self._seal, verify=self._verify)
            self._publishers[site] = publisher
        at_ms = int(now.timestamp() * 1000)
        answer = publisher.answer(have, at_ms)
        if isinstance(answer, OpenEpoch):
            open_epoch(site, answer.above, now)
            answer = publisher.answer(have, at_ms)
        match answer:
            case Parts(payloads):
                return payloads
            case NotAnswered(reason):
                self._refuse(gate, reason)
        return ()
