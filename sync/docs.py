"""docs/asyncapi.yaml from the types: `python -m sync.docs` writes it, a test holds it against them.

AsyncAPI 3.0.0 (https://www.asyncapi.com/docs/reference/specification/v3.0.0): channels, messages and operations, as the office
(on `post`: the guard post) sees them. It says what a message looks like and not when to send one: that is docs/wire.md.
"""

from collections.abc import Mapping, Sequence
from inspect import cleandoc
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from sync.contract.alarms import AlarmMessage, StateMessage
from sync.contract.commands import Acknowledge, Command, Release, Say
from sync.contract.directory import (
    Booking,
    Card,
    Code,
    CountOrder,
    Duty,
    Elsewhere,
    Holder,
    ModeOrder,
    Status,
    Wording,
)
from sync.contract.office_time import OfficeTime, Told, When
from sync.contract.post import Heartbeat, Question
from sync.contract.records import KINDS
from sync.contract.standing_orders import OrdersMessage, StandingOrders
from sync.contract.topics import GATE_ID, MAX_PACKET, PREFIX, Channel
from sync.log.messages import Ack, Batch, Fork, Gone, Hello
from sync.log.parts import Have, Part, Title
from sync.log.records import Record

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "asyncapi.yaml"
DIALECT: Final = "application/schema+json;version=draft-2020-12"
ENVELOPE: Final = "application/vnd.menshen.log+zlib"  # zlib (RFC 1950) over a MessagePack map
SEALED: Final = "application/cose; cose-type=cose-sign1"
JSON: Final = "application/json"
_REF: Final = "#/components/schemas/{name}/schema"


class _Sent(NamedTuple):
    """What travels on a channel."""

    name: str
    kind: Any
    content: str


CHANNELS: Final[Mapping[Channel, tuple[_Sent, ...]]] = {
    Channel.UP: (
        _Sent("hello", Hello, ENVELOPE),
        _Sent("batch", Batch, ENVELOPE),
        _Sent("gone", Gone, ENVELOPE),
        _Sent("have", Have, ENVELOPE),
        _Sent("when", When, ENVELOPE),
    ),
    Channel.DOWN: (
        _Sent("ack", Ack, ENVELOPE),
        _Sent("fork", Fork, ENVELOPE),
        _Sent("part", Part, ENVELOPE),
        _Sent("orders", OrdersMessage, ENVELOPE),
        _Sent("time", Told, ENVELOPE),
    ),
    Channel.ALARM: (_Sent("alarm", AlarmMessage, JSON),),
    Channel.STATE: (_Sent("state", StateMessage, JSON),),
    Channel.CMD: (_Sent("command", Command, SEALED),),
    Channel.POST: (_Sent("heartbeat", Heartbeat, SEALED), _Sent("question", Question, SEALED)),
}
TOLD_BY_GATE: Final = frozenset({Channel.UP, Channel.ALARM, Channel.STATE})
WITHIN: Final[Sequence[type]] = (Record, Title, StandingOrders, OfficeTime, Release, Say, Acknowledge)
"""What messages carry inside: records, and documents that are signed."""
ROWS: Final[Sequence[type]] = (Holder, Card, Code, Status, Wording, ModeOrder, CountOrder, Booking, Duty, Elsewhere)
"""What the values of a directory's rows are, with their key as one more field."""


def asyncapi(version: str) -> dict[str, Any]:
    """The document, as plain values. `version`: of the product."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Menshen: gate and office",
            "version": version,
            "description": (
                "What a gate, its office and the guard post say to each other over MQTT; docs/wire.md has the rules. On `up` and `down` a "
                "payload is a MessagePack map compressed with zlib: there, bytes are `bin` and not base64."
            ),
        },
        "defaultContentType": JSON,
        "channels": {channel.value: _channel(channel, sent) for channel, sent in CHANNELS.items()},
        "operations": {channel.value: _operation(channel) for channel in CHANNELS},
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _channel(channel: Channel, sent: Sequence[_Sent]) -> dict[str, Any]:
    return {
        "address": f"{PREFIX}/{{gate}}/{channel}",
        "parameters": {"gate": {"description": f"The gate's id: {GATE_ID.pattern}"}},
        "messages": {each.name: {"$ref": f"#/components/messages/{each.name}"} for each in sent},
    }


def _operation(channel: Channel) -> dict[str, Any]:
    """What the office does; on `post`, the guard post."""
    return {
        "action": "receive" if channel in TOLD_BY_GATE else "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "bindings": {"mqtt": {"qos": 1, "retain": channel is Channel.STATE}},
    }


def _messages() -> dict[str, Any]:
    sent = [each for some in CHANNELS.values() for each in some]
    (shapes, _) = msgspec.json.schema_components([each.kind for each in sent], ref_template=_REF)
    return {
        each.name: {
            "name": each.name,
            "contentType": each.content,
            "description": f"At most {MAX_PACKET} bytes as sent.",
            "payload": {"schemaFormat": DIALECT, "schema": shape},
        }
        for each, shape in zip(sent, shapes, strict=True)
    }


def _schemas() -> dict[str, Any]:
    kinds = [each.kind for some in CHANNELS.values() for each in some]
    _, found = msgspec.json.schema_components([*kinds, *WITHIN, *ROWS, *KINDS.values()], ref_template=_REF)
    return {name: {"schemaFormat": DIALECT, "schema": _portable(schema)} for name, schema in sorted(found.items())}


def _portable(schema: Any) -> Any:
    """The same, with patterns as ECMA-262 has them, and docstrings without their indentation, which Python keeps until 3.12."""
    if isinstance(schema, dict):
        return {
            key: _TEXTS[key](value) if key in _TEXTS and isinstance(value, str) else _portable(value)
            for key, value in schema.items()
        }
    return [_portable(each) for each in schema] if isinstance(schema, list) else schema


_TEXTS: Final = {
    "pattern": lambda text: text.replace(r"\A", "^").replace(r"\Z", "$"),
    "description": cleandoc,
}


def as_yaml(document: Mapping[str, Any]) -> str:
    """The document as it stands in the file."""
    import yaml  # only whoever makes the docs has it

    head = "# Made from the types by `python -m sync.docs`; docs/wire.md has the rules.\n"
    return head + yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=120)


def write(version: str) -> None:
    """Write the file."""
    PAGE.write_text(as_yaml(asyncapi(version)), "utf-8")


if __name__ == "__main__":
    from importlib.metadata import version as installed

    write(installed("menshen"))
