"""`docs/policy.md`, made of the declarations: every key of the policy, its default, and why. `make docs` writes it anew."""

from collections.abc import Iterator
from inspect import getdoc
from typing import Any

from gateway.config.loading import all_sections
from gateway.config.reference import default_text, value_text
from gateway.config.tables import declared
from gateway.core.policy import FIXED

_HEAD = """\
# The policy: every key, its default, and why

Made from the declarations in the code (`make docs`); a test holds it against them, and lets no key be without a reason. What a
gate decides by stands in the sections `[policy…]` of its file; the office may lay other values over it, but for the keys marked
**fixed**, which say how the place is built and are changed only by who stands there. `configuration.md` has the other sections.

Where a source says what a default should be, it is named. Where none does, it says "our choice", and why that one. To try a
policy before it stands at a gate: `menshen gate simulate SCENARIO.toml --config gate.toml`; to see what it would have decided
about visits on record: `menshen gate replay journal.sqlite --config gate.toml`.
"""


def policy_markdown() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(_section(name, kind) for name, kind in policy_sections())])


def policy_sections() -> Iterator[tuple[str, type[Any]]]:
    """Every section of the policy with its declarations."""
    for name, kind in all_sections():
        if name.split(".")[0] == "policy":
            yield name, kind


def _section(name: str, kind: type[Any]) -> str:
    meaning = "What stands above all sections." if name == "policy" else (getdoc(kind) or "").replace("\n", " ")
    rows = "".join(
        f"| `{key.name}`{_fixed(name, key.name)} | {key.meta.description} | {value_text(key)} | `{default_text(key)}` | {key.why} |\n"
        for key in declared(kind).keys.values()
    )
    return (
        f"## [{name}]\n\n{meaning}\n\n"
        f"| Key | Meaning | Value | Default | Why |\n| --- | --- | --- | --- | --- |\n{rows}"
    )


def _fixed(section: str, key: str) -> str:
    dotted = f"{section}.{key}".removeprefix("policy.")
    return " **fixed**" if dotted in FIXED else ""
