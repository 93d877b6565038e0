"""A real gate, or a real post, as a process whose simulated switches somebody works from outside: one line a switch on standard
input, `DEVICE on` or `DEVICE off`. The rest is the program as it is.

    python -m tests.gateway.post.puppet gate|post FILE
"""

import logging
import sys
import threading
from pathlib import Path

from drivers.catalogue import Bench
from drivers.settings import InputSettings
from gateway.config import load
from gateway.feed import Feed
from gateway.gate import run_gate
from gateway.post import config as post_config
from gateway.post.program import run_post
from gateway.voice import words
from sync.notify import Notifier


def main(what: str, path: Path) -> None:
    """Run it until SIGTERM."""
    logging.basicConfig(stream=sys.stderr, level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    bench, feed = Bench(), Feed(words)
    _ = bench.pins  # made before two threads could ask for it
    if what == "gate":
        config = load(path)
        _obey(bench, {device.name: device.settings for device in config.devices})
        run_gate(config, version="0", feed=feed, notifier=Notifier(), bench=bench)
    else:
        post = post_config.load(path)
        _obey(bench, {device.name: device.settings for device in post.devices})
        run_post(post, feed=feed, notifier=Notifier(), bench=bench)


def _obey(bench: Bench, settings: dict[str, object]) -> None:
    def read() -> None:
        for line in sys.stdin:
            name, level = line.split()
            wiring = settings[name].wiring  # type: ignore[attr-defined]
            assert isinstance(wiring, InputSettings)
            bench.set_active(wiring, active=level == "on")

    threading.Thread(target=read, daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
