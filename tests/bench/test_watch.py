"""A benchmark ends by itself when it hangs, and says what it waits for."""

import subprocess
import sys

from bench.common import OVERDUE

HANGS = """\
import threading
from bench.common import watched
with watched(0.3) as watch:
    {before}
    watch.waits_for("visit 310")
    threading.Event().wait(30)
"""


def run(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=25, check=False)


def test_what_hangs_ends_with_an_error_that_names_what_it_waits_for() -> None:
    done = run(HANGS.format(before="pass"))
    assert done.returncode == OVERDUE
    assert "nothing for 0.3 s while waiting for visit 310" in done.stderr
    assert "Thread" in done.stderr and "wait" in done.stderr


def test_an_error_on_the_way_is_told_and_its_own_end_is_watched_too() -> None:
    done = run(
        "import threading\nfrom bench.common import watched\n"
        "with watched(0.3) as watch:\n    try:\n        raise RuntimeError('the door stays shut')\n"
        "    finally:\n        threading.Event().wait(30)\n"
    )
    assert done.returncode == OVERDUE and "while waiting for the start" in done.stderr
    plain = run("from bench.common import watched\nwith watched(5):\n    raise RuntimeError('the door stays shut')\n")
    assert plain.returncode == 1 and "the door stays shut" in plain.stderr


def test_what_ends_in_time_is_left_alone() -> None:
    done = run("from bench.common import watched\nwith watched(5) as watch:\n    watch.waits_for('x')\nprint('done')\n")
    assert (done.returncode, done.stdout) == (0, "done\n")
