"""A gate that brings a backlog and raises alarms meanwhile: the real journal, uplink and link, and nothing else.

    python -m bench.road.alarms PORT JOURNAL EVERY_S COUNT [HOST]

One line for each alarm on standard output, `ID MONOTONIC_SECONDS`, just before it is sent; then its record is written. All
processes of one machine share CLOCK_MONOTONIC, so whoever sees it come can tell how long it took.
"""

import random
import secrets
import sys
import time
from contextlib import closing
from pathlib import Path

from bench.ingest import gate_name
from bench.journal import BOOT, moment
from gateway.journal import Journal
from gateway.uplink import Uplink
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind, StateMessage
from sync.contract.records import AlarmRecord
from sync.mqtt import MqttLink


def run(host: str, port: int, path: Path, every_s: float, count: int) -> None:
    """Bring the journal, and raise so many alarms meanwhile, about so far apart."""
    chance = random.Random(7)
    with closing(Journal.open(path, boot=BOOT, now=moment())) as journal:
        alarms: list[Alarm] = []

        def status(connection: int) -> StateMessage:
            now = moment()
            return StateMessage(
                online=True, boot=BOOT.hex(), connection=connection, mono_ms=now.mono_ms, alarms=tuple(alarms[-8:])
            )

        uplink = Uplink(
            gate_name(0), journal, status=status, now_ms=lambda: moment().mono_ms,
            replace_log=lambda reason, _held: sys.exit(f"a new log was asked for: {reason}"), boot=BOOT,
        )  # fmt: skip
        link = MqttLink(
            host, port, client_id=gate_name(0), will=uplink.will, connected=uplink.connected,
            disconnected=uplink.disconnected,
        )  # fmt: skip
        link.subscribe(uplink.down_topic, uplink.received)
        journal.subscribe(uplink.appended)
        uplink.start(link)
        link.start()
        while journal.acked.seq == 0:
            time.sleep(0.05)
        for _ in range(count):
            time.sleep(chance.uniform(0.5, 1.5) * every_s)
            now = moment()
            alarm = Alarm(id=secrets.token_hex(16), kind=AlarmKind.CALL, portal="main", since_ms=now.at_ms)
            alarms.append(alarm)
            print(alarm.id, time.monotonic(), flush=True)
            uplink.alarm(AlarmAction.RAISED, alarm, now)
            journal.append(AlarmRecord(action=AlarmAction.RAISED, alarm=alarm), now)
            uplink.state_changed()
        print("end", journal.acked.seq, flush=True)
        sys.stdin.read()
        uplink.stop()
        link.stop()


if __name__ == "__main__":
    run(
        sys.argv[5] if len(sys.argv) > 5 else "127.0.0.1",
        int(sys.argv[1]),
        Path(sys.argv[2]),
        float(sys.argv[3]),
        int(sys.argv[4]),
    )
