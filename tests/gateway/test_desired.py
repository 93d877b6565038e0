"""The office's policy at a gate: held against the same rules as the gate's own file, and against what stands there."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.config import ConfigError, GateConfig, load, policy_with
from gateway.config.office_keys import policy_keys
from gateway.core.events import DeviceChanged, DirectoryRefused, Event, PolicyChanged
from gateway.core.policy import FIXED, OWN_NAMES, AntiPassback, Policy
from gateway.desired import DesiredState
from gateway.directory import Directory
from sync.contract.directory import Table
from sync.contract.policy_keys import POLICY_KEYS
from tests.gateway.config.files import devices, sections


class Site:
    """A gate's file, and what the office's directory wants of it."""

    def __init__(self, folder: Path, text: str) -> None:
        self.file = folder / "gate.toml"
        self.file.write_text(text, "utf-8")
        self.config: GateConfig = load(self.file, {})
        self.directory = Directory(folder / "directory.sqlite", lambda _trouble: None)
        self.directory.open()
        self.rows: dict[str, bytes] = {}
        self.posted: list[Event] = []
        self.adopted: list[Policy] = []
        self.desired = DesiredState(
            self.config, self.directory, self.posted.append, adopt=self.adopted.append, reword=lambda _words: None
        )

    def wants(self, monkeypatch: pytest.MonkeyPatch, values: Mapping[str, object]) -> Policy:
        """The policy that the gate goes by then."""
        rows = {key: json.dumps(value).encode() for key, value in values.items()}
        monkeypatch.setattr(self.directory, "entries", lambda table: rows if table == Table.POLICY else {})
        self.desired.look()
        (changed,) = (event for event in self.posted if isinstance(event, PolicyChanged))
        assert self.adopted == [changed.policy]
        return changed.policy

    @property
    def refused(self) -> list[str]:
        """What was put on record as refused."""
        return [event.detail for event in self.posted if isinstance(event, DirectoryRefused)]


@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_anti_passback_that_sees_nobody_go_out_is_refused_and_told(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path, sections() + devices())
    policy = site.wants(monkeypatch, {"portal.anti_passback": kind, "portal.release_s": 7})
    assert (policy.portal.anti_passback, policy.portal.release_s) == (AntiPassback.OFF, 7.0)
    (refused,) = site.refused
    assert "anti_passback" in refused and "seen going out" in refused
    (told,) = (event for event in site.posted if isinstance(event, DeviceChanged))
    assert (told.device, told.state) == ("policy", "stale") and "anti_passback" in told.detail


def test_where_an_exit_reader_stands_it_is_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(tmp_path, sections() + devices(out=("simulated-rdm6300", "exit-reader")))
    assert site.wants(monkeypatch, {"portal.anti_passback": "hard"}).portal.anti_passback is AntiPassback.HARD
    assert site.refused == []


def test_values_that_go_together_are_had_beside_one_that_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path, sections() + devices())
    wanted = {
        "portal.held_open_s": 12,  # below the file's pre_alarm_after_s
        "portal.pre_alarm_after_s": 8,
        "portal.anti_passback": "hard",
        "steps.resident": ["credential", "credential"],
    }
    policy = site.wants(monkeypatch, wanted)
    assert (policy.portal.held_open_s, policy.portal.pre_alarm_after_s) == (12.0, 8.0)
    assert [text.partition(":")[0] for text in site.refused] == ["portal.anti_passback", "steps.resident"]


def test_a_value_that_does_not_go_with_the_file_is_refused_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path, sections() + devices())
    policy = site.wants(monkeypatch, {"portal.held_open_s": 12, "portal.release_s": 7})
    assert (policy.portal.held_open_s, policy.portal.release_s) == (30.0, 7.0)
    assert [text.partition(":")[0] for text in site.refused] == ["portal.held_open_s"]


def test_what_has_become_wrong_with_the_file_keeps_no_policy_out(tmp_path: Path) -> None:
    phrases = tmp_path / "phrases"
    text = sections() + devices()
    config = Site(tmp_path, text).config
    table = {**config.source.table, "voice": {"phrases": str(phrases)}}  # it was there when the gate started
    gone = _with_table(config, table)
    assert policy_with(gone, {"portal.release_s": 7}, {}).portal.release_s == 7.0
    with pytest.raises(ConfigError) as raised:
        policy_with(gone, {"portal.anti_passback": "hard"}, {})
    assert [each.key for each in raised.value.problems] == ["policy.portal.anti_passback"]


def _with_table(config: GateConfig, table: dict[str, object]) -> GateConfig:
    return replace(config, source=replace(config.source, table=table))


OTHERWISE: Mapping[str, object] = {
    "timezone": "Europe/Berlin",
    "portal.name": "back",
    "portal.kind": "sealed",
    "portal.lock": "fail-safe",
    "portal.escape_route": False,
    "portal.exit_needs_credential": True,
    "visit.presence_sensor": False,
    "alarms.post": True,
    "portal": {"escape_route": False, "lock": "fail-safe"},
    "visit": {"presence_sensor": False},
    "alarms": {"post": True},
    "rules": {"all": {"steps": []}},
    "rules.all.steps": [],
    "schedules": {"day": {"mode": "free"}},
    "schedules.day.mode": "free",
    "rounds.lobby.times": ["09:00"],
}
"""What no office sets, with another value than the file has: each fixed key, each section that holds one, each section with names of one's own."""


def test_what_is_listed_here_is_all_of_it() -> None:
    sections_of_fixed = {key.rpartition(".")[0] for key in FIXED} - {""}
    assert {*FIXED, *sections_of_fixed} <= OTHERWISE.keys()
    assert {key.partition(".")[0] for key in OTHERWISE} >= OWN_NAMES
    keys = dict(policy_keys())
    assert keys.keys() >= FIXED and POLICY_KEYS.keys() == keys.keys() - FIXED, "a key is either the office's or fixed"
    assert not [key for key in keys if key.partition(".")[0] in OWN_NAMES]
    page = (Path(__file__).resolve().parents[2] / "docs" / "office-directory.md").read_text("utf-8")
    assert all(f"`{key}`" in page for key in FIXED), "docs/office-directory.md names each"


@pytest.mark.parametrize("before", ["", "main/"])
@pytest.mark.parametrize("key", OTHERWISE)
def test_what_says_how_the_place_is_built_is_not_changed_from_afar(
    key: str, before: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path, sections() + devices())
    before = before and f"{site.config.gate.id}/"
    policy = site.wants(monkeypatch, {before + key: OTHERWISE[key], "portal.release_s": 3})
    assert policy == replace(site.config.policy, portal=replace(site.config.policy.portal, release_s=3.0))
    (refused,) = site.refused
    assert refused.startswith(f"{before}{key}: is not changed from afar")


@pytest.mark.parametrize("key", [key for key in POLICY_KEYS if key.startswith("portal.")])
def test_times_and_rules_of_the_portal_may_be_set_and_are_gone_by(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path, sections() + devices(out=("simulated-rdm6300", "exit-reader")))
    name = key.removeprefix("portal.")
    known = POLICY_KEYS[key]
    now = getattr(site.config.policy.portal, name)
    wanted = "soft" if known.choices else int(now) + (1 if name != "pre_alarm_after_s" else -1)
    assert getattr(site.wants(monkeypatch, {key: wanted}).portal, name) == wanted
    assert site.refused == []
