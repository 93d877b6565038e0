"""An installation that is ended whatever happens."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.installation import Installation


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[[Path], Installation]]:
    """Builds the test's installation, whose camera is shown a folder of pictures."""
    built: list[Installation] = []

    def build(pictures: Path) -> Installation:
        built.append(Installation(tmp_path, camera=pictures))
        return built[0]

    yield build
    for each in built:
        each.close()
