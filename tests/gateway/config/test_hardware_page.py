"""docs/hardware.md: what it tells people to write is taken."""

from pathlib import Path

import pytest

from drivers.catalogue import MODELS
from gateway.config.hardware_page import example, hardware_markdown
from tests.gateway.config.files import devices, problems, sections

WIRED = [name for name, model in MODELS.items() if model.wiring is not None]


@pytest.mark.parametrize("name", WIRED)
def test_the_section_of_each_model_is_taken(name: str, tmp_path: Path) -> None:
    (tmp_path / "photographs").mkdir()
    (tmp_path / "day.mp4").touch()
    wiring = MODELS[name].wiring
    assert wiring is not None
    left_out = {"thermometer": "thermometer", "entry-reader": "reader", "entry-camera": "camera", "door-contact": "contact", "lock": "lock"}  # fmt: skip
    text = sections() + devices(*filter(None, (left_out.get(wiring.use),))) + example(name)
    assert problems(tmp_path, text) == []


@pytest.mark.parametrize("name", WIRED)
def test_each_model_has_its_place_and_its_warning(name: str) -> None:
    page = hardware_markdown()
    _, _, part = page.partition(f"\n### {name}\n")
    part = part.partition("\n### ")[0]
    assert "- Power: " in part
    assert "- Level: " in part
    assert "Source: " in part
    assert example(name) in part
    assert f"(#{name})" in page


def test_what_bears_5_v_is_warned_of() -> None:
    page = hardware_markdown()
    for name in ("rdm6300", "wiegand"):
        part = page.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
        assert "divider" in part
    assert "A pin of the Pi bears 3.3 V and not more" in page
