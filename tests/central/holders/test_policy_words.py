"""Which keys of a gate's policy the office lets a clerk set."""

import pytest

from central.holders.policy_words import wrong_key
from sync.contract.policy_keys import FIXED, POLICY_KEYS


@pytest.mark.parametrize("key", sorted(FIXED))
def test_what_says_how_the_place_is_built_is_refused(key: str) -> None:
    assert "own file alone" in wrong_key(key)


@pytest.mark.parametrize("key", ["portal", "rules.all.steps", "schedules.day.mode", "devices.lock.pin", "lock"])
def test_what_is_no_key_is_refused(key: str) -> None:
    assert "no gate knows this key" in wrong_key(key)


@pytest.mark.parametrize("key", POLICY_KEYS)
def test_everything_else_may_be_set(key: str) -> None:
    assert wrong_key(key) == ""
