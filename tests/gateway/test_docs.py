"""Generated pages are as the code would generate them now, and the directory's page is as the code reads it."""

import re

import pytest

from gateway.directory import read_directory_file
from gateway.docs import FOLDER, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_true(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == PAGES[name](), "run: make docs"


def test_the_directory_example_is_taken(tmp_path_factory: pytest.TempPathFactory) -> None:
    text = (FOLDER / "directory.md").read_text("utf-8")
    example = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert example is not None
    path = tmp_path_factory.mktemp("directory") / "people.json"
    path.write_text(example[1], "utf-8")
    content = read_directory_file(path)
    assert (len(content.holders), len(content.cards), len(content.codes), len(content.revoked)) == (3, 3, 1, 1)
