"""From a topic and a payload to what was said. Nothing here trusts either: what cannot be decoded says why, and how large
it was."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from sync.contract.alarms import Alarm, AlarmMessage, StateMessage
from sync.contract.commands import Acknowledge, Command, Release, Say, action_of, read_command
from sync.contract.cose import decode_sign1
from sync.contract.office_time import MAX_INFLATED, OfficeTime, Told, When, decode_when
from sync.contract.post import QUESTION, Heartbeat, Question, read_heartbeat, read_question
from sync.contract.sealed import sealed_as
from sync.contract.standing_orders import StandingOrders, decode_orders, read_orders
from sync.contract.topics import Channel, parse_topic
from sync.errors import SyncError
from sync.log.keyed import NOTHING, Mark
from sync.log.messages import Ack, Batch, Fork, Gone, Hello, Message, decode, tag_of
from sync.log.parts import MAX_PART, Have, Part, Title, decode_have
from sync.log.receiver import decode_upward
from sync.log.records import Record
from sync.log.sender import decode_downward
from sync.printable import time_words

SHOWN_ALARMS: Final = 5  # of a state, in a line
Said = (
    Message
    | AlarmMessage
    | StateMessage
    | Command
    | Have
    | Title
    | StandingOrders
    | When
    | OfficeTime
    | Heartbeat
    | Question
)
_UNCHECKED: Final = "signature not looked at"
_PART: Final = msgspec.msgpack.Decoder(Part)
_TITLE: Final = msgspec.json.Decoder(Title)
_TOLD: Final = msgspec.msgpack.Decoder(Told)
_TIME: Final = msgspec.json.Decoder(OfficeTime)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """One message. `gate` and `channel` are empty where the topic is none of ours, `kind` where the payload is not decoded:
    then `problem` says why. `words` may hold anything that its sender chose; so may `values`, which are plain JSON."""

    topic: str
    size: int  # bytes of the payload
    gate: str = ""
    channel: str = ""
    kind: str = ""
    words: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    records: tuple[Record, ...] = ()
    problem: str = ""


def read(topic: str, payload: bytes) -> Passing:
    """What a message says."""
    address = parse_topic(topic)
    if address is None:
        return Passing(topic=topic, size=len(payload), problem="a topic that is none of ours")
    gate, channel = address
    passing = Passing(topic=topic, size=len(payload), gate=gate, channel=channel)
    try:
        said = _DECODERS[channel](payload)
    except (SyncError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return replace(passing, problem=str(error))
    kind, words, values = _shown(said, channel)
    return replace(
        passing, kind=kind, words=words, values=values, records=said.records if isinstance(said, Batch) else ()
    )


def _shown(said: Said, channel: Channel) -> tuple[str, str, Mapping[str, object]]:
    """Kind, words and values."""
    match said:
        case AlarmMessage():
            return channel, _alarm(said), _plain(said)
        case StateMessage():
            return channel, _state(said), _plain(said)
        case Release() | Say() | Acknowledge():
            return action_of(said), _command(said), _plain(said)
        case Have() | Title() | StandingOrders() | When() | OfficeTime():
            return _beside(said)
        case Heartbeat() | Question():
            return *_of_post(said), _plain(said)
    return str(said.__struct_config__.tag), _log(said), _range(said)


def _of_post(said: Heartbeat | Question) -> tuple[str, str]:
    if isinstance(said, Question):
        return "question", f"{said.post} asks {said.number[:8]}"
    return "heartbeat", f"{said.post} number {said.sequence} at {said.mono_ms} ms of boot {said.boot[:8]}"


def _beside(said: Have | Title | StandingOrders | When | OfficeTime) -> tuple[str, str, Mapping[str, object]]:
    """Of what passes beside the log."""
    match said:
        case Have():
            staged = None if said.staged is None else {"upto": _mark(said.staged.upto), "next": said.staged.next}
            values = {
                "site": said.site,
                "seen": _mark(said.seen),
                "whole": said.whole,
                "staged": staged,
                "room": said.room,
            }
            return "have", _have(said), values
        case Title():
            names = ("site", "at_ms", "count", "number", "parts")
            marks = {"base": _mark(said.base), "upto": _mark(said.upto)}
            return "part", _title(said), {name: getattr(said, name) for name in names} | marks
        case StandingOrders():
            return "orders", _orders(said), {**_plain(said), "state": _mark(said.state)}
        case When():
            return "when", f"what time is it? {said.nonce.hex()[:8]}", {"nonce": said.nonce.hex()}
        case OfficeTime():
            return "time", f"{time_words(said.at_ms)}, to {said.nonce[:8]}, {_UNCHECKED}", _plain(said)


def _read_command(payload: bytes) -> Command:
    """What it says, whoever signed it: which keys a gate pins is not known here."""
    return read_command(decode_sign1(payload).payload)


def _read_up(payload: bytes) -> Said:
    match tag_of(payload):
        case "have":
            return decode_have(payload)
        case "when":
            return decode_when(payload)
    return decode_upward(payload)


def _read_down(payload: bytes) -> Said:
    """Of a part, its title, whoever signed it; nothing of its rows, which name people."""
    match tag_of(payload):
        case "part":
            return _TITLE.decode(decode_sign1(decode(payload, _PART, MAX_PART).title).payload)
        case "orders":
            return read_orders(decode_sign1(decode_orders(payload)).payload)
        case "time":
            return _TIME.decode(decode_sign1(decode(payload, _TOLD, MAX_INFLATED).sealed).payload)
    return decode_downward(payload)


def _read_post(payload: bytes) -> Heartbeat | Question:
    """The same of a post."""
    if sealed_as(payload, QUESTION):
        return read_question(decode_sign1(payload).payload)
    return read_heartbeat(decode_sign1(payload).payload)


_DECODERS: Final[Mapping[Channel, Callable[[bytes], Said]]] = {
    Channel.UP: _read_up,
    Channel.DOWN: _read_down,
    Channel.ALARM: msgspec.json.Decoder(AlarmMessage).decode,
    Channel.STATE: msgspec.json.Decoder(StateMessage).decode,
    Channel.CMD: _read_command,
    Channel.POST: _read_post,
}


def _plain(
    said: AlarmMessage | StateMessage | Command | StandingOrders | OfficeTime | Heartbeat | Question,
) -> Mapping[str, object]:
    plain: Mapping[str, object] = msgspec.to_builtins(said)
    return plain


# the log's messages


def _log(said: Message) -> str:
    log = f"log {said.log_id[:8]}"
    match said:
        case Hello():
            return f"{log} holds {said.oldest}-{said.head}"
        case Batch():
            return f"{log} {said.after + 1}-{said.upto}, {len(said.records)} records"
        case Gone():
            return f"{log} {said.after + 1}-{said.upto} no longer exist: {said.reason}"
        case Ack():
            return f"{log} up to {said.seq}"
        case Fork():
            return f"{log} has another {said.seq}"


def _range(said: Message) -> Mapping[str, object]:
    names = ("log_id", "oldest", "head", "after", "upto", "seq", "reason")
    found = {name: getattr(said, name) for name in names if hasattr(said, name)}
    return found | ({"records": len(said.records)} if isinstance(said, Batch) else {})


# directory


def _mark(mark: Mark) -> str:
    return "nothing" if mark == NOTHING else f"{mark.epoch}.{mark.version}"


def _have(said: Have) -> str:
    words = [f"directory of {said.site}: has {_mark(said.seen)}{'' if said.whole else ', not whole'}"]
    if said.staged is not None:
        words.append(f"{said.staged.next} of {said.staged.parts} parts of {_mark(said.staged.upto)}")
    return ", ".join([*words, f"room for {said.room}"])


def _title(said: Title) -> str:
    newest = f"{_mark(said.upto)} is the newest"
    leads = newest if said.base == said.upto else f"{_mark(said.base)} to {_mark(said.upto)}, {said.count} rows"
    which = f"part {said.number + 1} of {said.parts}"
    return f"directory of {said.site}: {leads}, {which}, of {time_words(said.at_ms)}, {_UNCHECKED}"


def _orders(said: StandingOrders) -> str:
    modes = [f"{key} {order.mode} by {order.by}" for key, order in sorted(said.modes.items())]
    count = [] if said.count is None else [f"{said.count.inside} inside by {said.count.by}"]
    return ", ".join([f"of {said.site} {_mark(said.state)} for {said.gate}", *modes, *count, _UNCHECKED])


# commands


def _command(said: Command) -> str:
    words = [f"{said.id[:8]} by {said.by}", f"good until {said.not_after_mono} ms of boot {said.boot[:8]}"]
    match said:
        case Release(portal=portal, reason=reason):
            words += [f"portal {portal}"] if portal else []
            words += [reason] if reason else []
        case Say(phrase=phrase):
            words.append(phrase)
        case Acknowledge(alarm=alarm, note=note):
            words += [f"alarm {alarm[:8]}", *([note] if note else [])]
    return ", ".join([*words, _UNCHECKED])


# alarm and state


def _alarm(said: AlarmMessage) -> str:
    alarm = said.alarm
    words = [said.action, alarm.kind, f"at {alarm.portal}", f"since {time_words(alarm.since_ms)}", *_details(alarm)]
    return ", ".join([" ".join(words[:3]), *words[3:]])


def _details(alarm: Alarm) -> list[str]:
    details = [f"{alarm.count} times"] if alarm.count != 1 else []
    if alarm.acknowledged:
        details.append(f"acknowledged by {alarm.acknowledged_by or 'somebody'}")
    return [*details, alarm.detail] if alarm.detail else details


def _state(said: StateMessage) -> str:
    order = f"connection {said.connection} of boot {said.boot[:8]}"
    if not said.online and not said.log_id:
        return f"offline (last will), {order}"
    words = ["online" if said.online else "offline", f"mode {said.mode}", f"door {said.door}", f"inside {said.inside}"]
    words += [f"log {said.log_id[:8]} head {said.head} acknowledged {said.acked}", order]
    if not said.clock_trusted:
        words.append("its clock is not trusted")
    if said.devices_lost:
        words.append(f"lost: {_some(said.devices_lost)}")
    if ill := tuple(f"{each.name} {each.state}" for each in said.devices or () if each.state != "ok"):
        words.append(f"devices: {_some(ill)}")
    if said.alarms:
        words.append(f"open alarms: {_some(tuple(alarm.kind for alarm in said.alarms))}")
    if said.commands:
        answers = tuple(f"{answer.id[:8]} {answer.outcome} {answer.reason}".rstrip() for answer in said.commands)
        words.append(f"commands: {_some(answers)}")
    return ", ".join(words)


def _some(words: tuple[str, ...]) -> str:
    more = f" and {len(words) - SHOWN_ALARMS} more" if len(words) > SHOWN_ALARMS else ""
    return " ".join(words[:SHOWN_ALARMS]) + more
