"""Memory and start of a gate: PSS summed over its processes, and the time from start to ready.

    {"pss_mb": …, "pss_camera_mb": …, "ready_s": …}

`pss_mb` is a gate without a camera (deciding process and sound process), `pss_camera_mb` the same gate with a camera that
decodes. PSS (proc(5), smaps_rollup) counts shared pages once over all processes, so the sum is what the gate costs.
Both gates run the demo's people at full pace while they are measured; the largest of some samples counts.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from menshen.demo.cast import make_cast
from menshen.demo.gate import SITE, gate_config
from menshen.demo.processes import Child, menshen, run_once

SAMPLES = 12
BETWEEN_S = 0.5


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = [pid]
    for task in children.parent.parent.iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def _maps(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/smaps_rollup").read_text()
    except PermissionError:
        raise SystemExit("a gate's memory is closed to all but root (docs/hostile.md): run this as root") from None


def pss_mb(pid: int) -> float:
    """The PSS of a process and its descendants, in MB."""
    total = 0
    for member in family(pid):
        for line in _maps(member).splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def measure(folder: Path, *, camera: bool) -> tuple[float, float]:
    """(PSS in MB, seconds to ready) of one gate."""
    folder.mkdir()
    files = make_cast(folder, SITE)
    text = gate_config(folder, files, "127.0.0.1", 1, visits=None, camera=None, with_camera=camera)
    config = folder / "gate.toml"
    config.write_text(text)
    run_once("directory", menshen("gate", "directory", "load", "--config", str(config), str(files.directory)), {})
    run_once("trust", menshen("trust", "import", "--config", str(config), str(files.trust)), {})
    started = time.monotonic()
    gate = Child("gate", menshen("gate", "run", "--config", str(config), "--feed"), folder / "gate.log", pipe=True)
    try:
        assert gate.process.stdout is not None
        for line in gate.process.stdout:
            if json.loads(line)["what"] == "ready":
                break
        ready_s = time.monotonic() - started
        # a few seconds of people before measuring: caches are full, phrases rendered
        time.sleep(8)
        gate.check()
        samples = []
        for _ in range(SAMPLES):
            samples.append(pss_mb(gate.process.pid))
            time.sleep(BETWEEN_S)
        return max(samples), ready_s
    finally:
        gate.stop()


def main() -> None:
    """Measure both gates and print the figures."""
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as name:
        without, ready = measure(Path(name) / "plain", camera=False)
        print(f"without camera: {without:.1f} MB, ready after {ready:.2f} s", file=sys.stderr)
        with_camera, ready_camera = measure(Path(name) / "camera", camera=True)
        print(f"with camera: {with_camera:.1f} MB, ready after {ready_camera:.2f} s", file=sys.stderr)
    print(
        json.dumps(
            {
                "pss_mb": round(without, 1),
                "pss_camera_mb": round(with_camera, 1),
                "ready_s": round(max(ready, ready_camera), 2),
            }
        )
    )


if __name__ == "__main__":
    main()
