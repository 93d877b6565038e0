"""`docs/configuration.md`, made of the declarations. `make docs` writes it anew."""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING
from enum import Enum
from inspect import getdoc
from pathlib import Path
from typing import Any, get_args, get_origin

from drivers.catalogue import MODELS
from gateway.config.loading import all_sections
from gateway.config.rules import PASSWORD_VARIABLE
from gateway.config.settings import ResolverConfig
from gateway.config.tables import Key, bare_type, declared, range_text
from gateway.config.uses import PARTS

_HEAD = f"""\
# Every key of a gate's file

Made from the declarations in the code (`make docs`); a test holds it against them. The same, with
Chinese, to begin with: `menshen gate example > gate.toml`, or `config/gate.example.toml`.

`menshen gate check --config FILE` says everything that is wrong in a file at once, each with its line, the nearest known key
and what is allowed; exit code 2. The file is TOML, UTF-8, at most 1 MB. Numbers stand without quotes and without their unit,
which is in the key's name: `release_s = 5`. Relative paths start at the file's own folder. The broker's password is in a file
of its own, or in the environment as `{PASSWORD_VARIABLE}`.
"""


_OPTIONAL: Mapping[str, str] = {
    "page": " (optional)",
    "post": " (optional; where there is a guard post)",
    "simulation": " (optional; for simulated devices)",
}


def configuration_markdown() -> str:
    """The whole page."""
    parts = [_HEAD]
    for name, kind in all_sections():
        if declared(kind).keys:
            optional = _OPTIONAL.get(name, "")
            parts.append(f"## [{name}]{optional}\n\n{_meaning(kind)}\n\n{_table(declared(kind).keys.values())}")
    parts += [_resolvers(), _devices()]
    return "\n".join(parts)


def value_text(key: Key) -> str:
    """What the key takes, such as "number, 1–60 s"."""
    kind = bare_type(key.type)
    if get_origin(kind) is tuple:
        return f"list of {_type_text(bare_type(get_args(kind)[0]))}"
    if get_origin(kind) is dict:
        return "table in braces"
    if (key.meta.extra or {}).get("path"):
        return "path"
    limits = f"{range_text(key.meta)} {(key.meta.extra or {}).get('unit', '')}".strip()
    return ", ".join(filter(None, (_type_text(kind), limits)))


def default_text(key: Key) -> str:
    """The default as TOML; "required" and "none" where there is no value."""
    if key.default is MISSING:
        return "required"
    return "none" if key.default is None else _toml(key.default)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return "{}"  # no default has entries
    return f'"{value}"' if isinstance(value, str | Path) else f"{value}"


def _type_text(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f'"{each.value}"' for each in kind)
    return {bool: "true, false", int: "whole number", float: "number", str: "text", Path: "path"}[kind]


def _meaning(kind: type[Any]) -> str:
    return (getdoc(kind) or "").replace("\n", " ")


def _table(keys: Iterable[Key]) -> str:
    rows = [
        f"| `{key.name}` | {key.meta.description} | {value_text(key)} | {_code(default_text(key))} |\n" for key in keys
    ]
    return "| Key | Meaning | Value | Default |\n| --- | --- | --- | --- |\n" + "".join(rows)


def _code(default: str) -> str:
    return default if default in ("required", "none") else f"`{default}`"


def _resolvers() -> str:
    return (
        "## [resolvers.NAME]\n\n"
        f"{_meaning(ResolverConfig)} One section a service, asked in the order of the file; NAME is 1 to 32 of a-z, 0-9 and '-'. "
        "Without one, no health code is asked about. More: `resolvers.md`.\n\n"
        f"{_table(declared(ResolverConfig).keys.values())}"
    )


def _devices() -> str:
    uses = "".join(
        f"| `{use}` | {part.kind} | {'several' if part.several else 'one'} | {part.meaning} |\n"
        for use, part in PARTS.items()
    )
    models = [
        f'### model = "{name}" ({model.kind})\n\n{model.meaning}\n\n' + _model_table(model.settings)
        for name, model in MODELS.items()
    ]
    return (
        "## [devices.NAME]\n\n"
        "One section a device. NAME is 1 to 32 of a-z, 0-9 and '-', and stands in records and alarms. Each has a `model`, a `use`, "
        "and the keys of its model. No two devices may share a port, a pin or a camera.\n\n"
        f"| `use` | Kind of model | A gate has | What it does |\n| --- | --- | --- | --- |\n{uses}\n"
        + "\n".join(models)
    )


def _model_table(settings: type[Any]) -> str:
    keys = declared(settings).keys
    return _table(keys.values()) if keys else "No keys of its own.\n"
