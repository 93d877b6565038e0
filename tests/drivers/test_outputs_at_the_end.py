"""What becomes of an output when its program ends: by itself, by a fault, by SIGKILL. A real process on mock pins, each of whose
changes is on disk before the next."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

LOCK = """
import os, signal, sys
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPin
from drivers.contacts import GpioOutput
from drivers.settings import OutputSettings

class Written(MockPin):
    def _write(self):
        with open(sys.argv[1], "a") as told:
            told.write(f"{self._function} {'high' if self._state else 'low'}\\n")
    def _set_function(self, value):
        super()._set_function(value)
        self._write()
    def _change_state(self, value):
        changed = super()._change_state(value)
        if changed:
            self._write()
        return changed

Device.pin_factory = MockFactory(pin_class=Written)  # the machine's own, as on a Pi: gpiozero closes it at exit
lock = GpioOutput("lock", OutputSettings(pin=17))
lock.set(True)
match sys.argv[2]:
    case "closes": lock.close()
    case "exits": sys.exit(0)
    case "fails": raise RuntimeError("a fault")
    case "is killed": os.kill(os.getpid(), signal.SIGKILL)
"""


def told(out: Path, how: str) -> tuple[int, list[str]]:
    """The exit code, and what the pin did, as function and level."""
    done = subprocess.run([sys.executable, "-c", LOCK, str(out), how], capture_output=True, timeout=60, check=False)
    return done.returncode, out.read_text().splitlines()


@pytest.mark.parametrize(("how", "code"), [("closes", 0), ("exits", 0), ("fails", 1)])
def test_a_program_that_ends_lets_its_pins_go(tmp_path: Path, how: str, code: int) -> None:
    """An input again: the resistor outside holds the lock at rest from then on."""
    returned, lines = told(tmp_path / "pin", how)
    assert returned == code
    assert "output high" in lines
    assert lines[-1].startswith("input ")


def test_a_program_that_is_killed_does_nothing_more_and_the_next_one_puts_it_at_rest_first(tmp_path: Path) -> None:
    """What the kernel then makes of the pin is in docs/wiring.md (`strict_gpiod`)."""
    returned, lines = told(tmp_path / "pin", "is killed")
    assert returned == -signal.SIGKILL
    assert lines[-1] == "output high", "as it was"
    _, after = told(tmp_path / "next", "closes")
    assert next(line for line in after if line.startswith("output")) == "output low", "before anything else"
