"""What people of a scenario carry: phones show another code each time, and a file that is wrong says so before the day."""

import json
import re
from pathlib import Path

import pytest

from gateway.simulation.scenario import Cast, ScenarioError, load_cast, load_scenario
from menshen.demo.cast import make_cast
from menshen.keys import read_key_file
from sync.contract.passes import PassKeys, read_pass, verify_pass
from sync.contract.trust import unseal_trust

NOW_S = 1_800_000_000


@pytest.fixture
def cast(tmp_path: Path) -> Cast:
    return load_cast(make_cast(tmp_path, "demo").cast)


def test_a_phone_signs_what_it_shows_at_that_moment(cast: Cast, tmp_path: Path) -> None:
    first, again, later = (cast.shown("phone", NOW_S + seconds) for seconds in (0, 1, 30))
    assert read_pass(first).counter == read_pass(again).counter == read_pass(later).counter - 1
    office = read_key_file(tmp_path / "office.pem").public_key()
    keys = PassKeys.of(unseal_trust((tmp_path / "site.trust").read_bytes(), [office]).pass_keys)
    shown = verify_pass(first, keys)
    assert shown.why_not(site="demo", at_s=NOW_S) == ""
    assert shown.why_not(site="demo", at_s=NOW_S + 600) == "screenshot"
    assert verify_pass(cast.shown("tenant", NOW_S), keys).counter == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"key": "no key"}, "phone"),
        ({"pass_text": "MP1:"}, "phone"),
        ({"pass_text": None}, "pass_text"),
        ({"colour": "black"}, "colour"),
    ],
)
def test_a_phone_that_is_none_is_told_before_the_day(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    path = make_cast(tmp_path, "demo").cast
    content = json.loads(path.read_text())
    content["phones"]["phone"] |= changes
    path.write_text(json.dumps(content))
    with pytest.raises(ScenarioError, match=words):
        load_cast(path)


def test_a_pass_for_another_phone_is_told(tmp_path: Path) -> None:
    path = make_cast(tmp_path, "demo").cast
    content = json.loads(path.read_text())
    content["phones"]["phone"]["pass_text"] = content["codes"]["tenant"]
    path.write_text(json.dumps(content))
    with pytest.raises(ScenarioError, match="not issued for this phone"):
        load_cast(path)


@pytest.mark.parametrize(
    ("action", "fits"), [("show phone", True), ("screenshot phone", True), ("screenshot tenant", False)]
)
def test_only_a_phone_has_screenshots(cast: Cast, tmp_path: Path, action: str, fits: bool) -> None:
    path = tmp_path / "day.toml"
    path.write_text(f'[[scene]]\nat = "10:00"\nzh = "z"\nen = "e"\ndo = ["{action}"]\n')
    if fits:
        assert load_scenario(path, cast).scene[0].do == (action,)
    else:
        with pytest.raises(ScenarioError, match="'tenant', only phone"):
            load_scenario(path, cast)


def test_the_cast_on_the_page_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulate.md").read_text("utf-8")
    (shown,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "cast.json"
    file.write_text(shown, "utf-8")
    assert set(load_cast(file).codes) == {"tenant", "health"}
    assert set(json.loads(shown)) == set(Cast.__struct_fields__), "every key there is"
