"""A slow link: a network namespace whose only way out is a veth pair with a token bucket at each end (tc-tbf(8))."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Narrow(NamedTuple):
    """`host`: the address of this machine's end; `command`: what to put before a command so that it runs beyond the link."""

    host: str
    command: Sequence[str]
    device: str

    def bytes_both_ways(self) -> int:
        """That have gone over it, with TCP's and IP's own."""
        counted = Path(f"/sys/class/net/{self.device}/statistics")
        return sum(int((counted / name).read_text()) for name in ("rx_bytes", "tx_bytes"))


@contextmanager
def narrow(name: str, rate: str | None) -> Iterator[Narrow]:
    """The link, at a `rate` such as "64kbit" each way, or None for as fast as it goes. Needs root. Raises CalledProcessError."""
    near, far, here, there = f"{name}-n", f"{name}-f", "10.213.7.1", "10.213.7.2"
    _ip("netns", "add", name)
    try:
        _ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", name)
        _ip("address", "add", f"{here}/30", "dev", near)
        _ip("link", "set", near, "up")
        inside = ["ip", "netns", "exec", name]
        for what in (
            ["address", "add", f"{there}/30", "dev", far],
            ["link", "set", far, "up"],
            ["link", "set", "lo", "up"],
        ):
            subprocess.run([*inside, "ip", *what], check=True)
        if rate is not None:
            shape = ["root", "tbf", "rate", rate, "burst", "2kb", "latency", "400ms"]
            subprocess.run(["tc", "qdisc", "add", "dev", near, *shape], check=True)
            subprocess.run([*inside, "tc", "qdisc", "add", "dev", far, *shape], check=True)
        yield Narrow(here, inside, near)
    finally:
        _ip("netns", "delete", name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
