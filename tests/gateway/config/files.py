"""A gate's file for tests: right as it stands, to be made wrong in one place."""

from pathlib import Path

from gateway.config import Problem, check

DOOR = {
    "thermometer": ("simulated-gy-mcu90615", "thermometer"),
    "reader": ("simulated-rdm6300", "entry-reader"),
    "camera": ("simulated-camera", "entry-camera"),
    "presence": ("simulated-input", "presence", 5),
    "contact": ("simulated-input", "door-contact", 6),
    "button": ("simulated-input", "exit-button", 13),
    "lock": ("simulated-output", "lock", 17),
}
"""Model, use and pin of each device of a door."""


def sections(**policy: str) -> str:
    """Everything but the devices. `policy`: lines by section, such as `portal='kind = "open"'`."""
    text = '[gate]\nid = "g-1"\nsite = "s"\ndata_dir = "data"\n[broker]\nhost = "127.0.0.1"\n'
    return text + "".join(f"[policy.{name}]\n{lines}\n" for name, lines in policy.items())


def devices(*without: str, **more: tuple[str, ...] | tuple[str, str, int]) -> str:
    """The devices of a door, some left out and some more."""
    text = ""
    for name, (model, use, *pin) in ({name: each for name, each in DOOR.items() if name not in without} | more).items():
        text += f'[devices.{name}]\nmodel = "{model}"\nuse = "{use}"\n' + (f"pin = {pin[0]}\n" if pin else "")
    return text


def problems(folder: Path, text: str, **environ: str) -> list[Problem]:
    """What is wrong with a file of this text."""
    path = folder / "gate.toml"
    path.write_text(text, "utf-8")
    return list(check(path, environ))


def problem(folder: Path, text: str, **environ: str) -> tuple[str, str]:
    """Key and words of the only problem."""
    (found,) = problems(folder, text, **environ)
    return found.key, found.text
