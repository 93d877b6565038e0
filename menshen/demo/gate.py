"""The demo gate's configuration: simulators on the real drivers, and a policy that suits the people's pace."""

import json
from pathlib import Path

import click

from drivers.camera.settings import PHOTOGRAPHS
from menshen.demo.cast import CastFiles

GATE = "demo-gate"
SITE = "demo"
SCENARIO = Path(__file__).parents[2] / "config" / "scenarios" / "day.toml"
VIDEOS = {".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg"}


def parse_camera(path: str | None) -> tuple[str, Path] | None:
    """What `--camera` names: ("folder" | "video", path). Raises click.BadParameter when it is neither."""
    if path is None:
        return None
    found = Path(path).resolve()
    if found.is_dir():
        if not any(file.suffix.lower() in PHOTOGRAPHS for file in found.rglob("*")):
            raise click.BadParameter(f"{path} holds no photograph", param_hint="--camera")
        return "folder", found
    if found.is_file() and found.suffix.lower() in VIDEOS:
        return "video", found
    raise click.BadParameter(f"{path} is neither a folder of photographs nor a video file", param_hint="--camera")


_HEAD = """\
# Written by `menshen demo`.
[gate]
id = "{gate}"
site = "{site}"
name = "Demo gate"
languages = ["zh", "en"]
data_dir = {data_dir}

[broker]
host = "{host}"
port = {port}
protocol = "3.1.1"
plaintext = true  # all its people are invented

[trust]
office_keys = ["{office_key}"]

[policy.credentials]
trust_max_age_days = 3650  # the scripted day goes round, and nobody makes a new list

[policy.certificates]
vaccination_max_days = 3650  # for the same reason

[policy.portal]
held_open_s = 30.0

[policy.temperature]
warm_up_s = 0.0
samples = {samples}
repeat_after_s = {repeat_after_s}

[policy.visit]
presence_sensor = {presence_sensor}
presence_lost_s = {presence_lost_s}
"""
_DEVICES = """
[devices.speaker]
model = "loudspeaker"
use = "speaker"
device = "auto"
file = {said}

[devices.thermometer]
model = "simulated-gy-mcu90615"
use = "thermometer"

[devices.card-reader]
model = "simulated-rdm6300"
use = "entry-reader"
"""


def gate_config(
    folder: Path,
    files: CastFiles,
    host: str,
    port: int,
    *,
    visits: int | None,
    camera: tuple[str, Path] | None,
    with_camera: bool = True,
    fast: bool = False,
) -> str:
    """The gate's TOML. `fast`: people go as fast as they can, the gate waits less for them, and photographs are shown no
    longer than it takes to look at them."""
    text = _HEAD.format(
        gate=GATE,
        site=SITE,
        data_dir=_quoted(folder / "gate"),
        host=host,
        port=port,
        office_key=files.office_key,
        samples=3 if fast else 5,
        repeat_after_s=0.3 if fast else 5.0,
        presence_sensor="true" if camera is None else "false",
        presence_lost_s=0.2 if fast else 2.0,
    )
    parts = [_camera(camera, hold_s=0.0 if fast else 2.0)] if with_camera else []
    return (
        text
        + _DEVICES.format(said=_quoted(folder / "said.wav"))
        + "".join(
            f"\n{part}" for part in (*parts, _pins(), _simulation(files, visits, camera, pace=0.0 if fast else 1.0))
        )
    )


def _quoted(path: Path) -> str:
    """A path as a TOML string: JSON's escapes are among TOML's."""
    return json.dumps(str(path), ensure_ascii=False)


def _camera(camera: tuple[str, Path] | None, *, hold_s: float) -> str:
    if camera is None:
        return '[devices.camera]\nmodel = "simulated-camera"\nuse = "entry-camera"\n'
    model, path = camera
    text = f'[devices.camera]\nmodel = "{model}"\nuse = "entry-camera"\npath = {_quoted(path)}\nloop = false\n'
    return text + (f"hold_s = {hold_s}\n" if model == "folder" else "")


_INPUTS = {"presence": 5, "door-contact": 6, "beam": 13, "exit-button": 19, "acknowledge": 26, "call": 21}
_OUTPUTS = {"lock": 17, "lamp-red": 22, "lamp-yellow": 23, "lamp-green": 24}


def _pins() -> str:
    pins = [("simulated-input", use, pin) for use, pin in _INPUTS.items()]
    pins += [("simulated-output", use, pin) for use, pin in _OUTPUTS.items()]
    return "\n".join(f'[devices.{use}]\nmodel = "{model}"\nuse = "{use}"\npin = {pin}\n' for model, use, pin in pins)


def _simulation(files: CastFiles, visits: int | None, camera: tuple[str, Path] | None, *, pace: float) -> str:
    if camera is not None:
        return ""
    return (
        f"[simulation]\nscenario = {_quoted(SCENARIO)}\ncast = {_quoted(files.cast)}\n"
        f'visits = {visits or 0}\npace = {pace}\nclock = "scripted"\n'
    )
