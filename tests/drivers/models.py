"""What the tests of every model share: the real ones, and each with the least that it has to be told."""

import tomllib
from dataclasses import MISSING
from typing import Annotated, Any

import msgspec

from drivers.catalogue import MODELS
from drivers.model import SIMULATED
from gateway.config.tables import bare_type, declared

REAL = [name for name in MODELS if not name.startswith(SIMULATED)]
REAL_OF = {twin.name: MODELS[name] for name in REAL if (twin := MODELS[name].simulated) is not None}
"""By the simulated twin's name."""


def least(name: str) -> dict[str, Any]:
    """What a model cannot do without, as in a gate's configuration: those keys out of the example in its declaration."""
    real = MODELS[name] if MODELS[name].wiring is not None else REAL_OF[name]
    assert real.wiring is not None, f"{name}: its declaration in drivers/models has no wiring, and so no example"
    example = {**real.wiring.example, **(real.twin.example if real.twin is not None and name not in REAL else {})}
    required = [key.name for key in declared(MODELS[name].settings).keys.values() if key.default is MISSING]
    missing = [key for key in required if key not in example]
    assert not missing, (
        f"{name}: the example in its declaration (drivers/models) lacks {missing}, which its settings require"
    )
    return {key: tomllib.loads(f"x = {example[key]}")["x"] for key in required}


def settings(name: str, **more: Any) -> Any:
    """As a gate reads them: None only stands for a key that is not there."""
    kind = MODELS[name].settings
    keys = declared(kind).keys
    values = {**least(name), **more}
    return kind(
        **{
            key: msgspec.convert(value, Annotated[bare_type(keys[key].type), keys[key].meta])
            for key, value in values.items()
        }
    )
