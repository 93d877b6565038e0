"""docs/asyncapi.yaml: made from the types, an AsyncAPI 3 document, and true of every example of docs/wire.md."""

import json
import warnings
from importlib.metadata import version
from typing import Any

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from sync.contract.topics import Channel
from sync.docs import CHANNELS, PAGE, as_yaml, asyncapi
from tests.sync.test_wire_doc import _BLOCK, BODIES, COMMANDS, MESSAGES, PLAIN, ROW_TYPES, ROWS, kind_of
from tests.sync.test_wire_doc import PAGE as WIRE

DOCUMENT = asyncapi(version("menshen"))
REGISTRY: Registry[Any] = Registry().with_resource("urn:menshen", Resource.from_contents(DOCUMENT, DRAFT202012))
BLOCKS = dict(_BLOCK.findall(WIRE.read_text("utf-8")))
# How the page names the messages whose example bears another name than the message.
SHOWN = {"alarm": ["alarm"], "state": ["state", "will"], "command": [f"command {name}" for name in COMMANDS],
         "heartbeat": ["heartbeat"], "question": ["question"]}  # fmt: skip


def holds(place: str, value: object) -> None:
    """Raises where the value is not as the schema at this place of the document says."""
    Draft202012Validator({"$ref": f"urn:menshen#/components/{place}/schema"}, registry=REGISTRY).validate(value)


def payload(name: str) -> str:
    """Where a message's schema is."""
    return f"messages/{name}/payload"


def test_the_file_is_made_from_the_types() -> None:
    assert PAGE.read_text("utf-8") == as_yaml(DOCUMENT), "run: make docs"


def test_it_is_an_asyncapi_document() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own, about a field named `schema`
        from asyncapi3 import AsyncAPI3
    AsyncAPI3.model_validate(yaml.safe_load(PAGE.read_text("utf-8")))
    with pytest.raises(ValueError, match="action"):
        AsyncAPI3.model_validate(
            DOCUMENT | {"operations": {"up": {"action": "shout", "channel": {"$ref": "#/channels/up"}}}}
        )


def test_every_channel_and_message_is_there() -> None:
    assert set(DOCUMENT["channels"]) == {channel.value for channel in Channel}
    told = {each.name for sent in CHANNELS.values() for each in sent}
    assert told == {*MESSAGES, *SHOWN, "have", "part", "orders", "when", "time"}


@pytest.mark.parametrize("name", [*MESSAGES, "have", "part", "orders", "when", "time"])
def test_a_message_of_the_envelope_is_as_its_schema_says(name: str) -> None:
    decoded = msgspec.msgpack.decode(bytes.fromhex(BLOCKS[f"{name}, MessagePack"]))
    value = msgspec.to_builtins(decoded)  # bytes as base64, as the schema has them
    holds(payload(name), value)
    with pytest.raises(Exception, match="is a required property"):
        holds(payload(name), {"t": name})


@pytest.mark.parametrize(("message", "example"), [(name, each) for name, some in SHOWN.items() for each in some])
def test_a_plain_message_is_as_its_schema_says(message: str, example: str) -> None:
    holds(payload(message), json.loads(BLOCKS[example]))


@pytest.mark.parametrize("body", BODIES, ids=kind_of)
def test_a_record_is_as_its_schema_says(body: msgspec.Struct) -> None:
    value = json.loads(BLOCKS[f"record {kind_of(body)}"])
    holds(f"schemas/{type(body).__name__}", value)


@pytest.mark.parametrize("row", [row for row in ROWS if row.table in ROW_TYPES], ids=lambda row: row.table)
def test_a_row_is_as_its_schema_says(row: Any) -> None:
    key, kind = ROW_TYPES[row.table]
    value = json.loads(row.value) | ({key: row.key} if key else {})
    holds(f"schemas/{kind.__name__}", value)


def test_a_plain_message_that_is_wrong_is_found() -> None:
    state = msgspec.to_builtins(PLAIN["state"])
    with pytest.raises(Exception, match="is not of type"):
        holds(payload("state"), state | {"inside": "many"})
