"""Hostile codes against the limits: 50 ms and 10 MB for each.

    {"attacks": …, "worst_ms": …, "worst_mb": …, "time_ratio": …, "memory_ratio": …}

Every attack of `tests/hostile` is resolved by the real resolver in a process of its own, which has resolved a good code of
every kind before. Time: the best of some runs, so that it is the code's and not the machine's. Memory: how far the
process's largest resident size (getrusage) rises above where it stood, C libraries included. A ratio above 1 is too much.
"""

import json
import os
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path

from bench.common import progress
from gateway.resolve import Resolver
from tests.hostile import forge
from tests.hostile.attacks import Attack, attacks, good

MOST_MS, MOST_MB = 50.0, 10.0
RUNS = 5


def measured(resolver: Resolver, attack: Attack) -> tuple[float, float]:
    """(ms, MB) of one attack, in a process of its own."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, json.dumps(_measure(resolver, attack)).encode())
        except Exception:  # noqa: BLE001  its parent says which it was
            traceback.print_exc()
        finally:
            os._exit(0)  # not further: what follows is its parent's
    os.close(writer)
    with os.fdopen(reader) as answer:
        told = answer.read()
    os.waitpid(child, 0)
    if not told:
        raise SystemExit(f"{attack.name} could not be measured")
    ms, mb = json.loads(told)
    return ms, mb


def _measure(resolver: Resolver, attack: Attack) -> tuple[float, float]:
    for text in good().values():  # libraries and keys are in memory, as they are at a gate
        resolver.text(text, forge.NOW)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        verdict = resolver.text(attack.text, attack.now)
        times.append(time.perf_counter() - began)
        assert verdict.reason == attack.reason, f"{attack.name}: {verdict.reason}"
    return min(times) * 1000, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main() -> None:
    """Measure all of them."""
    with tempfile.TemporaryDirectory() as folder:
        resolver = forge.resolver(Path(folder))
        table = attacks()
        figures = {attack.name: measured(resolver, attack) for attack in progress(table, "attacks")}
    for place, unit in enumerate(("ms", "MB")):
        for name in sorted(figures, key=lambda name: figures[name][place], reverse=True)[:5]:
            print(f"{figures[name][place]:8.2f} {unit}  {name}", file=sys.stderr)
    worst_ms, worst_mb = (max(each[place] for each in figures.values()) for place in (0, 1))
    result = {"attacks": len(table), "worst_ms": round(worst_ms, 2), "worst_mb": round(worst_mb, 2)}
    ratios = {"time_ratio": round(worst_ms / MOST_MS, 3), "memory_ratio": round(worst_mb / MOST_MB, 3)}
    print(json.dumps(result | ratios))


if __name__ == "__main__":
    main()
