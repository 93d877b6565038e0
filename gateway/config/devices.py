"""The sections [devices.NAME]: each a model, a use, and the model's own settings."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from drivers.catalogue import MODELS, Model
from gateway.config.lines import KeyPath
from gateway.config.problems import Report, dotted
from gateway.config.settings import DeviceConfig
from gateway.config.tables import NAME, Reader, choices, shown
from gateway.config.uses import PARTS, Use


@dataclass(frozen=True, slots=True)
class Devices:
    """What could be read. `uses`: of all devices, also of those with something else wrong; None when a device's use
    could not be read, so that nothing can be said to be missing."""

    configs: tuple[DeviceConfig, ...]
    uses: frozenset[Use] | None


def read_devices(table: object, reader: Reader, report: Report) -> Devices:
    """The devices of a file; what is wrong goes into the report."""
    if not isinstance(table, Mapping):
        report.add(("devices",), "must be sections of their own: [devices.NAME]")
        return Devices((), None)
    configs: list[DeviceConfig] = []
    uses: list[Use | None] = []
    for name, device in table.items():
        if report.full:
            return Devices(tuple(configs), None)
        path = ("devices", name)
        if not NAME.fullmatch(name):
            report.add(path, f"{shown(name)} is no name for a device: 1 to 32 of a-z, 0-9 and '-'")
        if not isinstance(device, Mapping):
            report.add(path, f"must be a section: [{dotted(path)}]")
            continue
        config, use = _read_device(name, device, reader, report)
        uses.append(use)
        if config is not None:
            configs.append(config)
    _refuse_doubles(table, report)
    _refuse_shared(configs, report)
    return Devices(tuple(configs), None if None in uses else frozenset(use for use in uses if use is not None))


def _read_device(
    name: str, table: Mapping[str, object], reader: Reader, report: Report
) -> tuple[DeviceConfig | None, Use | None]:
    path = ("devices", name)
    model_name, use = table.get("model"), _use(table, path, report)
    model = _model(table, path, report)
    if model is None:
        return None, use
    if use is not None and PARTS[use].kind is not model.kind:
        fitting = ", ".join(each for each, part in PARTS.items() if part.kind is model.kind)
        report.add((*path, "use"), f"a {model_name} is no {use}; it can be: {fitting}")
    own = {key: value for key, value in table.items() if key not in ("model", "use")}
    settings = reader.section(model.settings, own, path)
    if settings is None:
        return None, use
    for key, text in model.wrong(settings):
        report.rule(text, (*path, key))
    if use is None:
        return None, use
    return DeviceConfig(name=name, model=str(model_name), use=use, settings=settings, line=report.line(path)), use


def _model(table: Mapping[str, object], path: KeyPath, report: Report) -> Model | None:
    name = table.get("model")
    if name is None:
        report.add((*path, "model"), f"is missing; one of {', '.join(MODELS)}")
    elif not isinstance(name, str) or name not in MODELS:
        report.add((*path, "model"), choices(name, MODELS))
    else:
        return MODELS[name]
    return None


def _use(table: Mapping[str, object], path: KeyPath, report: Report) -> Use | None:
    use = table.get("use")
    if use is None:
        report.add((*path, "use"), f"is missing; one of {', '.join(Use)}")
    elif not isinstance(use, str) or use not in set(Use):
        report.add((*path, "use"), choices(use, Use))
    else:
        return Use(use)
    return None


def _refuse_doubles(table: Mapping[str, object], report: Report) -> None:
    """Two devices with a use that a gate has once."""
    first: dict[str, str] = {}
    for name, device in table.items():
        use = device.get("use") if isinstance(device, Mapping) else None
        if not isinstance(use, str) or use not in set(Use) or PARTS[Use(use)].several:
            continue
        other = first.setdefault(use, name)
        if other != name:
            line = report.line(("devices", other, "use"))
            report.rule(
                f"a gate has one {use}, and that is [{dotted(('devices', other))}] (line {line})",
                ("devices", name, "use"),
            )


def _refuse_shared(configs: list[DeviceConfig], report: Report) -> None:
    """Two devices on one port, pin or camera, also by different names of the same."""
    first: dict[str, DeviceConfig] = {}
    for config in configs:
        for claim in MODELS[config.model].claims(config.settings):
            what = _resolved(claim)
            other = first.get(what)
            if other is not None:  # perhaps itself: one pin for both of its lines
                report.rule(
                    f"{claim} is taken by [{dotted(('devices', other.name))}] (line {other.line})",
                    ("devices", config.name, claim_key(config, claim)),
                )
            first.setdefault(what, config)


def claim_key(config: DeviceConfig, claim: str) -> str:
    """The key by which a device claims this, such as "pin 17": the last of those that say so."""
    what = claim.partition(" ")[2]
    keys = [field.name for field in fields(config.settings) if str(getattr(config.settings, field.name)) == what]
    said_in_part = (key for key in _CLAIM_KEYS if hasattr(config.settings, key))
    return keys[-1] if keys else next(said_in_part, "model")


_CLAIM_KEYS = ("port", "pin", "path", "device", "bus")


def _resolved(claim: str) -> str:
    """`port /dev/serial0` and `port /dev/ttyS0` are the same when one is a link to the other."""
    kind, _, name = claim.partition(" ")
    return f"{kind} {os.path.realpath(name)}" if name.startswith("/") else claim
