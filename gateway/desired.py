"""What the office wants of this gate, as the directory has it: its mode, how many are inside, its policy and its words.

Looked at when the gate starts, and whenever another directory decides or orders came ahead of one. What cannot be read or is not to be had
from afar is told once, as a refused record, and changes nothing; a policy that is refused is also told as a device that is not
in order, until it is mended or taken away.
"""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import msgspec

from gateway.config import ConfigError, GateConfig, policy_with
from gateway.core.events import Desired, DeviceChanged, DirectoryRefused, Event, PolicyChanged, SiteCount
from gateway.core.policy import Policy, is_fixed
from gateway.directory import Directory
from gateway.errors import DirectoryError
from gateway.voice.errors import VoiceError
from sync.contract.directory import EVERY_GATE, CountOrder, Elsewhere, ModeOrder, Table, Wording, concerns
from sync.contract.standing_orders import StandingOrders
from sync.contract.text import harmless

logger = logging.getLogger("menshen.directory")
TABLES: Final = (Table.MODE, Table.COUNT, Table.POLICY, Table.PHRASE, Table.ELSEWHERE)
MOST_ROWS: Final = 256  # of the policy; there are fewer keys
DEVICE: Final = "policy"
Rows = Mapping[str, bytes]
Wordings = Mapping[tuple[str, str], str]
T = TypeVar("T")


class DesiredState:
    """Looks at the rows and tells the core. `ahead`: the orders of a newer state than the directory, which count in place of its own;
    `adopt` hears each new policy, for whoever else goes by one. One thread at a time."""

    def __init__(
        self,
        config: GateConfig,
        directory: Directory,
        post: Callable[[Event], None],
        *,
        ahead: Callable[[], StandingOrders | None] = lambda: None,
        adopt: Callable[[Policy], None],
        reword: Callable[[Wordings], None],
    ) -> None:
        self._config = config
        self._ahead = ahead
        self._directory = directory
        self._post = post
        self._adopt = adopt
        self._reword = reword
        self._phrases: Rows = {}
        self._orders: tuple[Rows, Rows] | StandingOrders = ({}, {})
        self._policy: Rows = {}
        self._elsewhere: Rows = {}
        self._refused: set[str] = set()
        self._wrong = self._told_wrong = ""

    def look(self) -> None:
        """Tell what has changed since the last look. A directory that is out of reach tells that itself."""
        try:
            modes, counts, policy, phrases, elsewhere = (self._directory.entries(table) for table in TABLES)
            orders = self._ahead() or (modes, counts)
        except DirectoryError:
            return
        if orders != self._orders:
            self._orders = orders
            self._order(orders)
        if elsewhere != self._elsewhere:
            self._elsewhere = elsewhere
            self._count(elsewhere)
        if policy != self._policy:
            self._policy = policy
            self._change(policy)
        if phrases != self._phrases:
            self._phrases = phrases
            self._word(phrases)

    # orders

    def _order(self, orders: tuple[Rows, Rows] | StandingOrders) -> None:
        if isinstance(orders, StandingOrders):
            self._post(Desired(orders.modes, orders.count))
            return
        gate, (modes, counts) = self._config.gate.id, orders
        found = {key: self._read(Table.MODE, key, modes, ModeOrder) for key in (EVERY_GATE, gate)}
        count = self._read(Table.COUNT, gate, counts, CountOrder)
        wanted = {key: order for key, order in found.items() if order is not None}
        if wanted or count is not None:
            self._post(Desired(wanted, count))

    def _count(self, rows: Rows) -> None:
        told = self._read(Table.ELSEWHERE, self._config.gate.id, rows, Elsewhere)
        if told is not None:
            self._post(SiteCount(told.inside, told.at_ms))

    def _read(self, table: Table, key: str, rows: Rows, kind: type[T]) -> T | None:
        if key not in rows:
            return None
        try:
            return msgspec.json.decode(rows[key], type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._refuse("row", f"{table}/{key}: {error}")
            return None

    # policy

    def _change(self, rows: Rows) -> None:
        self._wrong = ""
        wanted = self._values(rows)
        policy = self._possible(wanted)
        self._adopt(policy)
        self._post(PolicyChanged(policy, self._version(rows)))
        logger.info("the office's policy: %d value(s) in the place of the file's", len(wanted))
        self._tell()

    def _values(self, rows: Rows) -> dict[str, object]:
        """Of the rows that concern this gate, those that may be had, its own before those for all."""
        found: dict[str, object] = {}
        for key in sorted(filter(self._concerns, rows), key=lambda key: "/" in key)[:MOST_ROWS]:
            name = key.rpartition("/")[2]
            if is_fixed(name):
                self._refuse_value(f"{key}: is not changed from afar: it is set in the gate's own file alone")
                continue
            try:
                found[name] = json.loads(rows[key])
            except (ValueError, RecursionError) as error:
                self._refuse_value(f"{key}: {error}")
        return found

    def _concerns(self, key: str) -> bool:
        return concerns(key, self._config.gate.id)

    def _possible(self, wanted: Mapping[str, object]) -> Policy:
        """As much of it as can be had: without the values that are wrong by themselves, or by what stands at this gate."""
        try:
            return policy_with(self._config, wanted)
        except ConfigError as error:
            wrong = [key for key in sorted(wanted) if any(_is_about(each.key, key) for each in error.problems)]
            wrong = wrong or [key for key in sorted(wanted) if self._holds_without(key, wanted)][:1]
            if not wrong:
                return self._one_by_one(wanted)
            for key in wrong:
                self._refuse_value(f"{key}: {_why(error, key)}")
            return self._possible({key: value for key, value in wanted.items() if key not in wrong})

    def _holds_without(self, key: str, wanted: Mapping[str, object]) -> bool:
        try:
            policy_with(self._config, {each: value for each, value in wanted.items() if each != key})
        except ConfigError:
            return False
        return True

    def _one_by_one(self, wanted: Mapping[str, object]) -> Policy:
        """All that can be had, in the order of their keys."""
        policy, taken = self._config.policy, dict[str, object]()
        for key in sorted(wanted):
            try:
                policy = policy_with(self._config, {**taken, key: wanted[key]})
            except ConfigError as error:
                self._refuse_value(f"{key}: {error.problems[0].text if error.problems else error}")
            else:
                taken[key] = wanted[key]
        return policy

    def _version(self, rows: Rows) -> str:
        """As records name the policy: the file's alone, or what stands for file and rows together."""
        import hashlib

        own = self._config.policy_version
        concerned = sorted((key, value.hex()) for key, value in rows.items() if self._concerns(key))
        return hashlib.sha256(json.dumps([own, concerned]).encode()).hexdigest()[:16] if concerned else own

    # words

    def _word(self, rows: Rows) -> None:
        """Each phrase as the office words it, but for those that no pack could have."""
        taken: dict[tuple[str, str], str] = {}
        for key in sorted(rows):
            lang, _, phrase = key.partition("/")
            wording = self._read(Table.PHRASE, key, rows, Wording)
            if wording is None:
                continue
            try:
                self._reword({**taken, (lang, phrase): wording.text})
            except VoiceError as error:
                self._refuse("row", str(error))
            else:
                taken[lang, phrase] = wording.text
        self._reword(taken)

    # telling

    def _refuse(self, reason: str, detail: str) -> None:
        text = harmless(detail, 200)
        if text not in self._refused:
            self._refused = {*self._refused, text} if len(self._refused) < MOST_ROWS else {text}
            logger.error("the directory: %s", text)
            self._post(DirectoryRefused(reason, text))

    def _refuse_value(self, detail: str) -> None:
        self._wrong = self._wrong or harmless(detail, 160)
        self._refuse("policy", detail)

    def _tell(self) -> None:
        """That a value cannot be had, the first of them by name, or that all can."""
        if self._wrong != self._told_wrong:
            self._told_wrong = self._wrong
            detail = f"the office's value cannot be had: {self._wrong}" if self._wrong else ""
            self._post(DeviceChanged(DEVICE, "stale" if self._wrong else "ok", detail))


def _is_about(problem: str, key: str) -> bool:
    """Whether a problem's place in the file is this key, or in it."""
    place = f"policy.{key}"
    return problem == place or problem.startswith((f"{place}.", f"{place}["))


def _why(error: ConfigError, key: str) -> str:
    mine = [each.text for each in error.problems if _is_about(each.key, key)]
    return (mine or [each.text for each in error.problems] or [str(error)])[0]
