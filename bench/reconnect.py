"""A broker that comes back, and all its gates with it: how they spread, and when the last one is there.

    python -m bench.reconnect [--gates N] [--down S]

So many real links (`sync.mqtt.MqttLink`, a thread each, 250 a process) stand at one mosquitto, which is killed and started again
after `--down` seconds. Every attempt to connect is counted.

    back_s        from the broker's return until the last link is up
    at_once       the most attempts within 100 ms, as a share of all links: the height of the wave
    attempts      attempts a link made, in the mean, from the kill on
    control_at_once   the same with no chance in the pauses (each link waits the longest): what the chance is worth
"""

import argparse
import json
import logging
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from bench.common import scratch
from sync import mqtt
from sync.mqtt import MqttLink
from tests.mosquitto import Mosquitto, running_mosquitto

LIMIT_S = 180.0
EACH = 250  # links of a process: select(2) takes descriptors below 1,024, and a link has three


class _NoChance:
    """What `secrets.SystemRandom` is, without chance."""

    def uniform(self, _low: float, high: float) -> float:
        """The longest."""
        return high


def be_herd(port: int, first: int, count: int, *, chance: bool) -> None:
    """So many links until standard input ends. A line for what happens to one: `attempt`, `up` or `down`, and when."""
    logging.disable(logging.CRITICAL)
    if not chance:
        mqtt.secrets.SystemRandom = _NoChance  # type: ignore[misc,assignment]
    lock = threading.Lock()

    def tell(what: str) -> None:
        with lock:
            print(what, time.monotonic(), flush=True)

    def link(name: str) -> MqttLink:
        def attempt() -> tuple[str, bytes, bool]:
            tell("attempt")
            return f"menshen/1/{name}/state", b"{}", False

        return MqttLink(
            "127.0.0.1", port, client_id=name, will=attempt,
            connected=lambda: tell("up"), disconnected=lambda: tell("down"),
        )  # fmt: skip

    for number in range(first, first + count):
        link(f"gate-{number}").start()
    sys.stdin.read()


class Herds:
    """What their links have told."""

    def __init__(self, port: int, gates: int, *, chance: bool) -> None:
        self._told = threading.Condition()
        self.attempts: list[float] = []
        self.up = 0
        command = [sys.executable, "-m", "bench.reconnect", "--as-herd", str(port)]
        self.processes = [
            subprocess.Popen(
                [*command, str(first), str(min(EACH, gates - first)), "chance" if chance else "none"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for first in range(0, gates, EACH)
        ]
        for process in self.processes:
            threading.Thread(target=self._hear, args=(process,), daemon=True).start()

    def _hear(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            what, at = line.split()
            with self._told:
                if what == "attempt":
                    self.attempts.append(float(at))
                else:
                    self.up += 1 if what == "up" else -1
                self._told.notify_all()

    def wait(self, up: int) -> None:
        """Until so many are up."""
        with self._told:
            if not self._told.wait_for(lambda: self.up == up, LIMIT_S):
                sys.exit(f"{self.up} links are up instead of {up}")


@contextmanager
def standing(port: int, gates: int, *, chance: bool) -> Iterator[Herds]:
    """All of them connected."""
    herds = Herds(port, gates, chance=chance)
    try:
        herds.wait(gates)
        yield herds
    finally:
        for process in herds.processes:
            process.kill()
            process.wait()


def come_back(broker: Mosquitto, gates: int, down_s: float, *, chance: bool) -> tuple[float, float, float]:
    """Seconds until all are back, the height of the wave, attempts a link."""
    with standing(broker.port, gates, chance=chance) as herds:
        herds.attempts.clear()
        broker.kill()
        herds.wait(0)
        time.sleep(down_s)
        broker.start()
        begun = time.monotonic()
        herds.wait(gates)
        back_s = time.monotonic() - begun
        waves = Counter(int(at * 10) for at in herds.attempts if at >= begun)
        return back_s, max(waves.values()) / gates, len(herds.attempts) / gates


def measure(gates: int, down_s: float) -> dict[str, object]:
    """With chance and without."""
    folder = scratch("reconnect").absolute()
    try:
        with running_mosquitto(folder, "allow_anonymous true\nmax_connections -1\n") as broker:
            back_s, at_once, attempts = come_back(broker, gates, down_s, chance=True)
            _, control, _ = come_back(broker, gates, down_s, chance=False)
    finally:
        shutil.rmtree(folder)
    return {
        "gates": gates,
        "down_s": down_s,
        "back_s": round(back_s, 2),
        "at_once": round(at_once, 3),
        "attempts": round(attempts, 2),
        "control_at_once": round(control, 3),
    }


def main() -> None:
    """Measure, and print the result as the last line."""
    parser = argparse.ArgumentParser(description="How gates come back to a broker.")
    parser.add_argument("--gates", type=int, default=1000)
    parser.add_argument("--down", type=float, default=5.0)
    parser.add_argument("--as-herd", nargs=4, metavar=("PORT", "FIRST", "COUNT", "CHANCE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.as_herd:
        port, first, count, chance = arguments.as_herd
        be_herd(int(port), int(first), int(count), chance=chance == "chance")
        return
    print(json.dumps(measure(arguments.gates, arguments.down)))


if __name__ == "__main__":
    main()
