"""A receiver of one gate's log, in the office's place: written from docs/wire.md alone, importing nothing of ours.

What came it keeps in an SQLite file. At the broker of config/mosquitto/ it needs port 8884 and the certificate of the office's ingest.
"""

import argparse
import logging
import sqlite3
import struct
import zlib
from hashlib import sha256
from typing import Annotated

import paho.mqtt.client as mqtt
from msgspec import Meta, MsgspecError, defstruct, msgpack

MAX_PAYLOAD, MAX_INFLATED, TOP, ZERO = 262_144, 2_097_152, 2**63 - 1, bytes(32)
LogId, Kind = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")], Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,64}\Z")]
Natural, Number = Annotated[int, Meta(ge=0, le=TOP)], Annotated[int, Meta(ge=1, le=TOP)]
Millis, Reason = Annotated[int, Meta(ge=-TOP, le=TOP)], Annotated[str, Meta(max_length=64)]
Boot, Hash = (Annotated[bytes, Meta(min_length=size, max_length=size)] for size in (16, 32))
Body, Salt = Annotated[bytes, Meta(max_length=65_536)], Annotated[bytes, Meta(min_length=16, max_length=64)]
Record = tuple[Number, Kind, Millis, bool, Boot, Natural, Body | None, Salt | None, Hash]
Records = Annotated[list[Record], Meta(min_length=1, max_length=1000)]
OfLog = defstruct("OfLog", [("log_id", LogId)], tag_field="t", tag=str.lower)
Hello = defstruct("Hello", [("oldest", Number), ("head", Natural), ("head_hash", Hash)], bases=(OfLog,))
Range = defstruct("Range", [("after", Natural), ("upto", Number), ("hash", Hash)], bases=(OfLog,))
Batch = defstruct("Batch", [("prev_hash", Hash), ("records", Records)], bases=(Range,))
Gone = defstruct("Gone", [("reason", Reason)], bases=(Range,))
Have, When = defstruct("Have", [], tag_field="t", tag="have"), defstruct("When", [], tag_field="t", tag="when")
DECODER = msgpack.Decoder(Hello | Batch | Gone | Have | When)
TABLES = """
    PRAGMA synchronous = EXTRA;  -- the gate may delete what was acknowledged: no power cut may take it from here
    CREATE TABLE IF NOT EXISTS cursors (log_id PRIMARY KEY, seq, hash);
    CREATE TABLE IF NOT EXISTS missing (log_id, first, last, reason);
    CREATE TABLE IF NOT EXISTS records (log_id, seq, kind, at, clock, boot, mono, body, salt, body_hash, UNIQUE (log_id, seq));
"""


def opened(payload: bytes) -> OfLog | Have | When:
    """The message in a payload, each field within its bounds. Raises ValueError, MsgspecError, zlib.error, RecursionError."""
    inflater = zlib.decompressobj()
    plain = inflater.decompress(payload, MAX_INFLATED + 1)
    if len(payload) > MAX_PAYLOAD or len(plain) > MAX_INFLATED or not inflater.eof or inflater.unused_data:
        raise ValueError("too large, cut off, or followed by other bytes")
    return DECODER.decode(plain)


def claim(message: OfLog) -> tuple[int, bytes]:
    """A number, and the hash that a message says it has: the cursor's, where that is there. ValueError for what is unsound."""
    match message:
        case Hello(head=seq, head_hash=its_hash):
            sound = message.oldest <= seq + 1
        case Batch(after=seq, prev_hash=its_hash):
            sound = chain_end(message) == (message.upto, message.hash)
        case Gone(upto=seq, hash=its_hash):
            sound = seq > message.after
    if not sound or (seq == 0 and its_hash != ZERO):
        raise ValueError(f"{type(message).__name__}: its numbers or hashes do not go together")
    return seq, its_hash


def chain_end(batch: Batch) -> tuple[int, bytes]:
    """Number and hash of the last record. ValueError for a gap, and for a body that is not the one that was hashed."""
    last, chain = batch.after, batch.prev_hash
    for seq, kind, at, clock, boot, mono, body, salt, body_hash in batch.records:
        whole = salt is None if body is None else salt is not None and sha256(salt + body).digest() == body_hash
        if seq != last + 1 or not whole:
            raise ValueError(f"record {seq} after {last}: a gap, or body, salt and body_hash do not go together")
        header = struct.pack(">QqB16sQB", seq, at, clock, boot, mono, len(kind)) + kind.encode()
        last, chain = seq, sha256(chain + header + body_hash).digest()
    return last, chain


class Receiver:
    """The page's rules for the office, over one file. What `answer` says to hold is on the disk by then."""

    def __init__(self, file: str) -> None:
        self.db, self.dropped = sqlite3.connect(file), 0
        self.db.executescript(TABLES)

    def answer(self, payload: bytes) -> bytes | None:
        """What goes down for what came up, if anything. Raises sqlite3.Error, and then nothing was stored."""
        try:
            message = opened(payload)
            if isinstance(message, Have | When):
                return None  # of the directory, and of the time: not served here
            seq, its_hash = claim(message)
        except (ValueError, MsgspecError, zlib.error, RecursionError) as error:
            self.dropped += 1
            logging.warning("refused, no. %d: %r", self.dropped, str(error)[:200])
            return None
        with self.db as db:  # commits, or undoes all; once it has begun, nobody else can move the cursor
            db.execute("BEGIN IMMEDIATE")
            find = "SELECT seq, hash FROM cursors WHERE log_id = ?"
            cursor = db.execute(find, (message.log_id,)).fetchone() or (0, ZERO)
            kind = "fork" if seq == cursor[0] and its_hash != cursor[1] else "ack"
            if kind == "fork":
                logging.error("ALARM fork: log %s has another hash at %d", message.log_id, seq)
            elif isinstance(message, Range) and message.after == cursor[0]:
                self.take(message)
                cursor = message.upto, message.hash
        return zlib.compress(msgpack.encode({"t": kind, "log_id": message.log_id, "seq": cursor[0], "hash": cursor[1]}))

    def take(self, message: Batch | Gone) -> None:
        log = message.log_id
        self.db.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?, ?)", (log, message.upto, message.hash))
        if isinstance(message, Batch):
            rows = [(log, *record) for record in message.records]
            self.db.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        else:
            gap = (log, message.after + 1, message.upto, message.reason)
            self.db.execute("INSERT INTO missing VALUES (?, ?, ?, ?)", gap)
            logging.error("ALARM gone: log %s, %d to %d: %r", *gap)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("host", "port", "gate", "file", "ca", "cert", "key"):
        parser.add_argument(f"--{name}", required=name in ("host", "port", "gate", "file"))
    options = parser.parse_args()
    up, down = f"menshen/1/{options.gate}/up", f"menshen/1/{options.gate}/down"
    receiver, client = Receiver(options.file), mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)

    def on_message(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        if message.topic == up and (answer := receiver.answer(message.payload)):
            client.publish(down, answer, qos=1)

    client.on_message, client.on_connect = on_message, lambda *_: client.subscribe(up, qos=1)
    client.on_subscribe = lambda _client, _data, _mid, codes, _properties: logging.warning(
        "%s: %s", up, "refused by the broker" if codes[0].is_failure else "listening"
    )
    if options.ca or options.cert or options.key:
        client.tls_set(options.ca, options.cert, options.key)  # the broker's certificate and its name are checked
    client.connect_async(options.host, int(options.port), keepalive=20)
    client.loop_forever(retry_first_connection=True)


if __name__ == "__main__":
    main()
