"""What the README and the docs point to is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_the_readme_shows_the_demo() -> None:
    assert "](docs/demo.png)" in (ROOT / "README.md").read_text("utf-8")
    assert (ROOT / "docs" / "demo.png").read_bytes().startswith(b"\x89PNG")


def test_every_bench_that_the_readme_names_exists() -> None:
    names = re.search(r"make bench NAME=([a-z_|]+)", (ROOT / "README.md").read_text("utf-8"))
    assert names is not None
    for name in names[1].split("|"):
        assert (ROOT / "bench" / f"{name}.py").exists() or (ROOT / "bench" / name / "__main__.py").exists()
