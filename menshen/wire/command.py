"""`menshen wire tail`: listen at the broker, and show what passes."""

import logging
import queue
import secrets
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

import click

from central.broker_options import Broker, with_broker
from menshen.wire.reading import read
from menshen.wire.showing import json_line, lines
from sync.contract.topics import GATE_ID, PREFIX
from sync.mqtt import MqttLink

WAITING: Final = 1000  # messages between the broker and a terminal that is slow
TURN_S: Final = 0.2  # how often it is looked whether to end


class Heard(NamedTuple):
    """A message as it came."""

    topic: str
    payload: bytes
    at: datetime


class Ear:
    """Between the link's thread, which must not wait, and whoever prints."""

    def __init__(self) -> None:
        self._heard: queue.Queue[Heard] = queue.Queue(WAITING)
        self._lock = threading.Lock()
        self._missed = 0

    def hear(self, topic: str, payload: bytes) -> None:
        """Take a message, or count it when there is no room."""
        try:
            self._heard.put_nowait(Heard(topic, payload, datetime.now().astimezone()))
        except queue.Full:
            with self._lock:
                self._missed += 1

    def next(self) -> Heard | None:
        """What came next, if it comes soon."""
        try:
            return self._heard.get(timeout=TURN_S)
        except queue.Empty:
            return None

    def missed(self) -> int:
        """How many were not taken since this was last asked."""
        with self._lock:
            missed, self._missed = self._missed, 0
        return missed


@click.group()
def wire() -> None:
    """Watch what passes between gates and office.

    \b
    menshen wire tail --broker 127.0.0.1
    """


@wire.command()
@with_broker
@click.option("--gate", metavar="NAME", help="This gate only.")
@click.option("--records", is_flag=True, help="Each record of a batch, too: what it says of people included.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--count", type=click.IntRange(1), help="End after so many messages.")
def tail(
    broker: Broker,
    gate: str | None,
    records: bool,
    as_json: bool,
    count: int | None,
) -> None:
    """Show what passes on menshen/1/…, decoded, until Ctrl-C: time, gate, channel, message, log and numbers, bytes.

    It only listens: it answers nothing, and keeps nothing at the broker. What cannot be decoded is shown with its size and
    the reason. Use a certificate of its own (`menshen office tail-certificate`), which may read everything and write nothing.

    Exit code 0: ended by Ctrl-C, SIGTERM or --count. 1: the password or certificate cannot be read. 2: wrong options.

    \b
    menshen wire tail --broker 127.0.0.1 --gate north-1
    menshen wire tail --broker mqtt.example --ca-file authority.pem --certificate-file tail.pem --key-file tail.key
    menshen wire tail --broker 127.0.0.1 --json --records | jq 'select(.kind == "batch") | .said.records[].body | fromjson'
    """
    if gate is not None and not GATE_ID.fullmatch(gate):
        raise click.BadParameter(f"{gate!r}: 1 to 32 of a-z, 0-9 and '-' are allowed", param_hint="--gate")
    logging.basicConfig(stream=sys.stderr, level="WARNING", format="%(message)s")
    try:
        link = MqttLink(
            broker.host,
            broker.port,
            client_id=f"menshen-tail-{secrets.token_hex(4)}",
            username=broker.username,
            password=broker.password,
            tls=broker.tls,
        )
    except OSError as error:
        raise click.ClickException(str(error)) from error
    ear = Ear()
    link.subscribe(f"{PREFIX}/{gate or '+'}/#", ear.hear)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    link.start()
    try:
        _show(ear, stop, count, lambda heard: _tell(heard, records=records, as_json=as_json))
    finally:
        link.stop()


def _show(ear: Ear, stop: threading.Event, count: int | None, tell: Callable[[Heard], None]) -> None:
    shown = 0
    while not stop.is_set() and shown != count:
        heard = ear.next()
        if heard is not None:
            tell(heard)
            shown += 1
        elif missed := ear.missed():
            click.echo(f"{missed} messages came faster than they could be shown", err=True)


def _tell(heard: Heard, *, records: bool, as_json: bool) -> None:
    passing = read(heard.topic, heard.payload)
    if as_json:
        click.echo(json_line(passing, heard.at, records=records))
        return
    for line in lines(passing, heard.at, records=records):
        click.echo(line)
