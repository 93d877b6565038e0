"""docs/policy.md: no key of the policy is without a reason."""

from typing import Any

import pytest

from gateway.config.reasons import policy_markdown, policy_sections
from gateway.config.tables import declared
from gateway.core.policy import FIXED


@pytest.mark.parametrize(("name", "kind"), list(policy_sections()))
def test_every_key_says_why_its_default_is_what_it_is(name: str, kind: type[Any]) -> None:
    for key in declared(kind).keys.values():
        assert len(key.why) > 20 and key.why.endswith("."), (
            f'[{name}] {key.name} has no reason: write Why("…") beside it'
        )
        assert "|" not in key.why and "\n" not in key.why, f"[{name}] {key.name}: it stands in a table"


def test_the_page_has_every_section_key_and_mark() -> None:
    page = policy_markdown()
    assert page.count("**fixed** |") == len(FIXED)
    for name, kind in policy_sections():
        assert f"\n## [{name}]\n" in page
        for key in declared(kind).keys.values():
            assert f"| `{key.name}`" in page and key.why in page
    assert {line.count(" | ") for line in page.splitlines() if line.startswith("| `")} == {4}
