"""The office's list of policy keys is the gate's declarations, and both say the same of a value."""

import json

import msgspec
import pytest

from gateway.config import ConfigError, GateConfig, load, policy_with
from gateway.config.office_keys import module
from sync.contract.policy_keys import FIXED, POLICY_KEYS
from sync.contract.policy_values import nearest
from tests.gateway.config.files import devices, sections

VALUES = (
    True,
    0,
    1,
    5,
    36,
    36.5,
    -1,
    10**7,
    "22:00",
    "24:00",
    "guard",
    "off",
    "x" * 50,
    [],
    ["card"],
    ["credential"],
    None,
    {},
)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> GateConfig:
    path = tmp_path_factory.mktemp("gate") / "gate.toml"
    path.write_text(sections() + devices(), "utf-8")
    return load(path, {})


def test_the_list_is_as_the_declarations_would_make_it_now() -> None:
    made: dict[str, object] = {}
    exec(module(), made)  # noqa: S102  our own text
    assert (made["POLICY_KEYS"], made["FIXED"]) == (POLICY_KEYS, FIXED), "run: python -m gateway.config.office_keys"


@pytest.mark.parametrize("key", POLICY_KEYS)
def test_what_the_office_refuses_no_gate_takes(key: str, config: GateConfig) -> None:
    for value in VALUES:
        try:
            POLICY_KEYS[key].decode(json.dumps(value))
        except msgspec.ValidationError:
            with pytest.raises(ConfigError):
                policy_with(config, {key: value}, {})


@pytest.mark.parametrize(
    ("key", "meant"),
    [("capacity.limt", "capacity.limit"), ("threshold_c", "temperature.threshold_c"), ("weather.wind", "")],
)
def test_the_nearest_key(key: str, meant: str) -> None:
    assert nearest(key, list(POLICY_KEYS)) == meant
