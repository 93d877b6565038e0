"""`sync/contract/policy_keys.py` from the declarations of the policy: which values the office may set, and what each may be.

The office imports nothing of the gate, so the list is made here and written there: `python -m gateway.config.office_keys`. A test
holds it true. Sections with names of one's own (rules, schedules, rounds) are a gate's own and stand in no row of the office.
"""

import json
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final, get_args, get_origin

from msgspec import Meta

from gateway.config.tables import Key, declared
from gateway.core.policy import FIXED, Policy

MODULE: Final = Path(__file__).resolve().parents[2] / "sync" / "contract" / "policy_keys.py"
_HEAD: Final = '''"""What the office may set of a gate's policy. Made from the gate's declarations by `python -m gateway.config.office_keys`."""

from collections.abc import Mapping
from typing import Final

from sync.contract.policy_values import PolicyKey

FIXED: Final = frozenset(
    {
'''
_MIDDLE: Final = '''    }
)
"""What is set in the gate's own file alone: it says how the place is built."""

POLICY_KEYS: Final[Mapping[str, PolicyKey]] = {
'''
_KINDS: Final[Mapping[Any, str]] = {bool: "bool", int: "int", float: "float", str: "str"}


def module() -> str:
    """The module's text."""
    fixed = "".join(f"        {json.dumps(key)},\n" for key in sorted(FIXED))
    rows = "".join(f"    {json.dumps(name)}: {_row(key)},\n" for name, key in policy_keys() if name not in FIXED)
    return f"{_HEAD}{fixed}{_MIDDLE}{rows}}}\n"


def policy_keys() -> Iterator[tuple[str, Key]]:
    """Every key of the policy by its dotted name, fixed ones too."""
    return _keys(Policy)


def _keys(section: type[Any], before: str = "") -> Iterator[tuple[str, Key]]:
    known = declared(section)
    for name, key in known.keys.items():
        yield before + name, key
    for name, below in known.sections.items():
        yield from _keys(below, f"{before}{name}.")


def _row(key: Key) -> str:
    """The key as a call of `PolicyKey`."""
    listed = get_origin(key.type) is tuple
    kind, meta = _plain(get_args(key.type)[0], key.meta) if listed else _plain(key.type, key.meta)
    values: dict[str, object] = {
        "kind": _KINDS.get(kind, "str"),
        "listed": listed or None,
        "unit": (key.meta.extra or {}).get("unit"),
    }
    values |= {"low": meta.ge, "high": meta.le, "pattern": meta.pattern}
    if meta.pattern and isinstance(key.default, str):
        values["example"] = key.default
    values |= {"least": key.meta.min_length, "most": key.meta.max_length}
    told = [f"{name}={_shown(value)}" for name, value in values.items() if value is not None]
    if issubclass(kind, Enum):
        told.append(f"choices={tuple(each.value for each in kind)!r}")
    return f"PolicyKey({', '.join(told)})"


def _plain(kind: Any, meta: Meta) -> tuple[Any, Meta]:
    """A type without its `Meta`, and the `Meta` that holds for it."""
    if get_origin(kind) is not Annotated:
        return kind, meta
    bare, own = get_args(kind)[:2]
    return bare, own


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


if __name__ == "__main__":
    MODULE.write_text(module(), "utf-8")
