"""What people of a scenario carry: phones show another code each time, and a file that is wrong says so before the day."""

import json
import re
from pathlib import Path

import pytest

from drivers.simulators.bench import Bench
from drivers.simulators.doorway import Doorway
from gateway.clock import ScriptedClock
from gateway.simulation.people import People, SceneEnded, Stage
from gateway.simulation.scenario import (
    ACTIONS,
    SWITCHES,
    Cast,
    Scenario,
    ScenarioError,
    Scene,
    load_cast,
    load_scenario,
)
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


@pytest.mark.parametrize("action", ["fire", "fire maybe", "approach now", "card-out nobody", "dance"])
def test_an_action_that_is_none_is_told(cast: Cast, tmp_path: Path, action: str) -> None:
    path = tmp_path / "day.toml"
    path.write_text(f'[[scene]]\nat = "10:00"\nzh = "z"\nen = "e"\ndo = ["{action}"]\n')
    with pytest.raises(ScenarioError, match=re.escape(repr(action.split(maxsplit=1)[0])[1:-1])):
        load_scenario(path, cast)


def test_every_action_is_on_the_page_and_can_be_played() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulate.md").read_text("utf-8")
    told = set(re.findall(r"`([a-z-]+)(?: [a-zA-Z]+)?`", page))
    assert set(ACTIONS) <= told
    for action in ACTIONS:
        assert action in SWITCHES or callable(getattr(People, f"_do_{action.replace('-', '_')}"))


class Hands(Doorway):
    """A doorway that nobody is at, which keeps what is done to it."""

    def __init__(self) -> None:
        super().__init__(Bench(), {})
        self.did: list[tuple[str, bool]] = []

    def switch(self, use: str, *, active: bool) -> None:
        self.did.append((use, active))

    def call(self) -> None:
        self.did.append(("call", True))


def test_what_people_do_besides_the_readers_reaches_the_gate() -> None:
    scene = Scene(at="10:00", zh="z", en="e", do=("approach on", "call", "fire on"))
    hands, ended = Hands(), list[SceneEnded]()
    people = People(
        Scenario(scene=(scene,)), Cast(), Stage(door=hands, thermometer=None, card_reader=None, exit_reader=None, camera=None),
        ScriptedClock("Asia/Shanghai", 0), pace=0, visits=0, ended=ended.append, began=lambda _: None, finished=lambda: None,
    )  # fmt: skip
    people._play(scene)
    assert hands.did[:3] == [("approach", True), ("call", True), ("fire", True)]
    assert ("approach", False) in hands.did and ("fire", False) not in hands.did
    assert [each.outcome for each in ended] == [""]


class Things:
    """A thermometer and a camera at the exit, which keep what is done to them."""

    def __init__(self) -> None:
        self.did: list[str] = []

    def approach(self, person_c: float) -> None:
        self.did.append(f"approach {person_c}")

    def leave(self) -> None:
        self.did.append("leave")

    def freeze(self, *, frozen: bool = True) -> None:
        self.did.append("freeze" if frozen else "thaw")

    def show(self, text: str) -> None:
        self.did.append(f"show {text}")

    def clear(self) -> None:
        self.did.append("clear")


def test_what_people_do_to_the_thermometer_and_at_the_exit_s_camera_reaches_them() -> None:
    scene = Scene(at="10:00", zh="z", en="e", do=("freeze", "thaw", "show-out tenant", "show tenant"))
    thermometer, at_exit = Things(), Things()
    people = People(
        Scenario(scene=(scene,)), Cast(codes={"tenant": "MP1:a"}),
        Stage(door=Hands(), thermometer=thermometer, card_reader=None, exit_reader=None, camera=None, exit_camera=at_exit),
        ScriptedClock("Asia/Shanghai", 0), pace=0, visits=0, ended=lambda _: None, began=lambda _: None, finished=lambda: None,
    )  # fmt: skip
    people._play(scene)
    assert thermometer.did == ["freeze", "thaw", "leave"]
    assert at_exit.did == ["show MP1:a", "clear"]


def test_the_cast_on_the_page_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulate.md").read_text("utf-8")
    (shown,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "cast.json"
    file.write_text(shown, "utf-8")
    assert set(load_cast(file).codes) == {"tenant", "health"}
    assert set(json.loads(shown)) == set(Cast.__struct_fields__), "every key there is"


def test_the_scenes_on_the_page_can_be_played(cast: Cast, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulate.md").read_text("utf-8")
    (shown,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "day.toml"
    file.write_text(shown, "utf-8")
    assert [len(scene.do) for scene in load_scenario(file, cast).scene] == [2, 5]
