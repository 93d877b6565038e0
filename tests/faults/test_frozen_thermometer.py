"""A thermometer that repeats one person's good temperature for ever: it is told as stale, and nobody passes by it."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.installation import Installation

FROZEN = Path(__file__).with_name("frozen.toml")
DEVICES = "SELECT body FROM records WHERE kind = 'device' ORDER BY seq"
VISITS = "SELECT body FROM records WHERE kind = 'visit' ORDER BY seq"


def test_nobody_passes_by_a_temperature_that_was_somebody_else_s(install: Callable[..., Installation]) -> None:
    """Two foreheads are measured and let in; those two who come while it hangs are the guard's, and an alarm tells of it. Its
    seconds are those of an installation, and four until a sensor of 10 readings a second is found out."""
    day = install(scenario=FROZEN)
    day.configure(visits=4)
    day.start("gate")
    outcomes = []
    while (line := day.hear())["what"] != "finished":
        if line["what"] == "scene-ended" and line["expects"]:
            outcomes.append((line["outcome"], line["expects"]))
    assert outcomes == [(each, each) for each in ("granted", "referred", "referred", "granted")]

    told = [
        (line["action"], line["kind"])
        for line in day.lines
        if line["what"] == "alarm" and line.get("detail") == "thermometer"
    ]
    assert told == [("raised", "device-lost"), ("cleared", "device-lost")]
    day.stop("gate")
    states = [json.loads(body) for (body,) in day.ask_journal(DEVICES)]
    assert [(each["device"], each["state"]) for each in states] == [("thermometer", "stale"), ("thermometer", "ok")]
    assert states[0]["detail"].startswith("frozen: the very same reading came ")
    visits = [json.loads(body) for (body,) in day.ask_journal(VISITS)]
    by_guard = [each for each in visits if each["outcome"] == "referred"]
    assert [each["reasons"] for each in by_guard] == [["no-thermometer"]] * 2
    assert all(each.get("object_c") is None for each in by_guard), "nobody has another one's temperature"
