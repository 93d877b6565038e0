"""The pages of docs/ that are generated from the code: `python -m gateway.docs` writes them; a test holds them true."""

from collections.abc import Callable, Mapping
from pathlib import Path

from gateway.config.hardware_page import hardware_markdown
from gateway.config.reasons import policy_markdown
from gateway.config.reference import configuration_markdown
from gateway.core.diagrams import states_markdown

FOLDER = Path(__file__).resolve().parents[1] / "docs"
PAGES: Mapping[str, Callable[[], str]] = {
    "configuration.md": configuration_markdown,
    "hardware.md": hardware_markdown,
    "policy.md": policy_markdown,
    "states.md": states_markdown,
}


def main() -> None:
    """Write them."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
