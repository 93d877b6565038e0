"""A gate beyond a link that brings its journal, and then visits one by one: the real journal, uplink and link.

python -m bench.road.live HOST PORT JOURNAL      then a number on standard input: so many visits, half a second apart
"""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench.ingest import gate_name
from bench.journal import BOOT, moment, visit
from bench.road.narrow import Narrow
from gateway.journal import Journal
from gateway.uplink import Uplink
from sync.contract.alarms import StateMessage
from sync.mqtt import MqttLink

APART_S = 0.5


def run(host: str, port: int, path: Path) -> None:
    """Until standard input ends."""
    with closing(Journal.open(path, boot=BOOT, now=moment())) as journal:
        uplink = Uplink(
            gate_name(0), journal,
            status=lambda connection: StateMessage(online=True, boot=BOOT.hex(), connection=connection),
            now_ms=lambda: moment().mono_ms, replace_log=lambda reason, _held: sys.exit(reason), boot=BOOT,
        )  # fmt: skip
        link = MqttLink(
            host, port, client_id=gate_name(0), will=uplink.will, connected=uplink.connected,
            disconnected=uplink.disconnected,
        )  # fmt: skip
        link.subscribe(uplink.down_topic, uplink.received)
        journal.subscribe(uplink.appended)
        uplink.start(link)
        link.start()
        chance = random.Random(11)
        for line in sys.stdin:
            for number in range(int(line)):
                journal.append(visit(number, chance), moment())
                time.sleep(APART_S)
        uplink.stop()
        link.stop()


@contextmanager
def bring(link: Narrow, port: int, journal: Path) -> Iterator[Callable[[int], None]]:
    """Run it beyond the link; what is given sends so many live visits."""
    command = [*link.command, sys.executable, "-m", "bench.road.live", link.host, str(port), str(journal)]
    gate = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
    assert gate.stdin is not None
    sink = gate.stdin

    def visits(count: int) -> None:
        sink.write(f"{count}\n")
        sink.flush()

    try:
        yield visits
    finally:
        sink.close()
        gate.wait(120)


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
