"""What the fault tests share: an installation that is ended whatever happens."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.installation import Installation

BUSY = Path(__file__).with_name("busy.toml")
CALM = Path(__file__).with_name("calm.toml")


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """Builds the test's installation below its folder, with Installation's options."""
    built: list[Installation] = []

    def build(**options: object) -> Installation:
        built.append(Installation(tmp_path, **options))  # type: ignore[arg-type]  # handed on as they are
        return built[0]

    yield build
    for each in built:
        each.close()
