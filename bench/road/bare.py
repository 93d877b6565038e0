"""Bare paho, QoS 1, with the batches that a gate makes of its journal: a publisher, the broker, and a subscriber that counts.

ready   the payloads are there before the clock runs: nothing but MQTT
made    the records are in memory, and the publisher makes its batches of them as it goes, as every sender has to
"""

import sys
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion

from bench.ingest import payloads
from bench.journal import BOOT, moment
from gateway.journal import Journal
from sync.log.messages import MAX_RECORDS, Batch, encode
from sync.log.records import GENESIS, Record
from sync.log.sender import MAX_BODIES

TOPIC: Final = "bench/up"
IN_FLIGHT: Final = 20
LIMIT_S: Final = 300.0


def connected(port: int, name: str) -> Client:
    """A client whose thread runs."""
    client = Client(CallbackAPIVersion.VERSION2, client_id=name)
    client.max_inflight_messages_set(IN_FLIGHT)
    up = threading.Event()
    client.on_connect = lambda *_: up.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert up.wait(LIMIT_S), "the broker does not answer"
    return client


def receive(port: int, count: int) -> None:
    """Subscribe, say so, and say when so many messages have come, and the processor time since."""
    client = connected(port, "bare-receiver")
    left, done, listening = [count], threading.Event(), threading.Event()

    def on_message(_client: Client, _data: Any, _message: MQTTMessage) -> None:
        left[0] -= 1
        if not left[0]:
            done.set()

    client.on_message = on_message
    client.on_subscribe = lambda *_: listening.set()
    client.subscribe(TOPIC, 1)
    assert listening.wait(LIMIT_S)
    spent = time.process_time()
    print("listening", flush=True)
    assert done.wait(LIMIT_S), f"{left[0]} messages never came"
    print(time.monotonic(), time.process_time() - spent, flush=True)
    client.disconnect()


def send(port: int, made: Iterable[bytes]) -> None:
    """Publish, and wait for every PUBACK; say when it began, and at the end the processor time that it took."""
    client = connected(port, "bare-sender")
    spent = time.process_time()
    print(time.monotonic(), flush=True)
    sent: list[MQTTMessageInfo] = [client.publish(TOPIC, payload, 1) for payload in made]
    for each in sent:
        each.wait_for_publish(LIMIT_S)
    print(time.process_time() - spent, flush=True)
    client.disconnect()


def run_sender(port: int, path: Path, *, ready: bool) -> None:
    """The publisher's process."""
    if ready:
        send(port, payloads(path))
        return
    send(port, _made(_cut(path)))


def _cut(path: Path) -> list[tuple[int, bytes, Sequence[Record]]]:
    """The journal's records, cut as a wide window cuts them, with the hash before each cut."""
    found, previous, after = [], GENESIS, 0
    with closing(Journal.open(path, boot=BOOT, now=moment())) as journal:
        while records := list(journal.read(after, MAX_RECORDS, MAX_BODIES)):
            found.append((after, previous, records))
            after = records[-1].seq
            previous = journal.hash_at(after) or GENESIS
    return found


def _made(cut: Iterable[tuple[int, bytes, Sequence[Record]]]) -> Iterable[bytes]:
    for after, previous, records in cut:
        yield encode(
            Batch(
                log_id="0" * 32,
                after=after,
                upto=records[-1].seq,
                prev_hash=previous,
                hash=GENESIS,
                records=tuple(records),
            )
        )


if __name__ == "__main__":
    role, port, what = sys.argv[1:4]
    if role == "receive":
        receive(int(port), int(what))
    else:
        run_sender(int(port), Path(what), ready=role == "ready")
