"""A gate's file, loaded or checked: everything that is wrong with it, at once."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.config.devices import read_devices
from gateway.config.problems import ConfigError, Problem, Report
from gateway.config.resolvers import read_resolvers
from gateway.config.rules import PASSWORD_VARIABLE, RULES, Draft
from gateway.config.secret_file import read_secret
from gateway.config.settings import OPTIONAL, SECTIONS, BrokerConfig, GateConfig, PostConfig
from gateway.config.source import Source, read_source
from gateway.config.tables import Reader, declared, nearest
from gateway.core.policy import Policy

MOVED: Mapping[str, str] = {
    "directory": "there is no such section any more: keys of passes come by the trust list, which is imported "
    "(menshen trust import); pin the office's own key in [trust] as office_keys",
}
"""Sections of earlier versions, and where what they held has gone."""


def load(path: Path, environ: Mapping[str, str] = os.environ) -> GateConfig:
    """A gate's configuration. Raises ConfigError with everything that is wrong."""
    return _load(read_source(path), path.absolute().parent, environ)


def policy_with(config: GateConfig, rows: Mapping[str, object], environ: Mapping[str, str] = os.environ) -> Policy:
    """The policy of a configuration with these values in the place of the file's: dotted key → value as TOML has it. They are
    held against the same declarations and rules, devices and resolvers included. Raises ConfigError with everything that is wrong by
    them; what has become wrong with the file since it was loaded (a certificate that is gone) is not theirs."""
    table = dict(config.source.table)
    policy = table["policy"] = _copied(table.get("policy", {}))
    for key, value in rows.items():
        *sections, name = key.split(".")
        place = policy
        for section in sections:
            below = place.get(section)
            place[section] = place = below if isinstance(below, dict) else {}
        place[name] = value
    draft, report = _checked(replace(config.source, table=table), config.folder, environ)
    if problems := report.problems():
        _, before = _checked(config.source, config.folder, environ)
        already = {(each.key, each.text) for each in before.problems()}
        problems = tuple(each for each in problems if (each.key, each.text) not in already)
    if problems or draft.policy is None:
        raise ConfigError(problems)
    return draft.policy


def _copied(table: Any) -> Any:
    return {key: _copied(value) for key, value in table.items()} if isinstance(table, dict) else table


def _load(source: Source, folder: Path, environ: Mapping[str, str]) -> GateConfig:
    draft, report = _checked(source, folder, environ)
    problems = report.problems()
    if problems or not (draft.gate and draft.journal and draft.broker and draft.trust and draft.voice and draft.policy):
        raise ConfigError(problems)
    return GateConfig(
        gate=draft.gate,
        journal=draft.journal,
        broker=draft.broker,
        post=draft.post,
        trust=draft.trust,
        voice=draft.voice,
        policy=draft.policy,
        devices=draft.devices.configs,
        resolvers=draft.resolvers,
        page=draft.page,
        simulation=draft.simulation,
        sha256=source.sha256,
        source=source,
        folder=folder,
    )


def _checked(source: Source, folder: Path, environ: Mapping[str, str]) -> tuple[Draft, Report]:
    report = Report(source.file, source.lines)
    draft = _draft(source, folder, environ, report)
    for rule in RULES:
        rule(draft, report)
    return draft, report


def check(path: Path, environ: Mapping[str, str] = os.environ) -> tuple[Problem, ...]:
    """Everything that is wrong with a gate's file; nothing when it is right."""
    try:
        load(path, environ)
    except ConfigError as error:
        return error.problems
    return ()


def _draft(source: Source, folder: Path, environ: Mapping[str, str], report: Report) -> Draft:
    reader = Reader(report, folder, homes)
    table = source.table
    sections: dict[str, Any] = {
        name: reader.section(kind, table.get(name, {}), (name,))
        for name, kind in SECTIONS.items()
        if name in table or name not in OPTIONAL
    }
    _refuse_unknown(table, report)
    broker: BrokerConfig | None = sections["broker"]
    post: PostConfig | None = sections.get("post")
    return Draft(
        gate=sections["gate"],
        journal=sections["journal"],
        broker=broker and replace(broker, password=_password(broker, environ, report)),
        post=post and replace(post, password=_secret(post, "post", report)),
        trust=sections["trust"],
        voice=sections["voice"],
        policy=sections["policy"],
        devices=read_devices(table.get("devices", {}), reader, report),
        resolvers=read_resolvers(table.get("resolvers", {}), reader, report),
        page=sections.get("page"),
        simulation=sections.get("simulation"),
    )


def _refuse_unknown(table: Mapping[str, object], report: Report) -> None:
    known = [*SECTIONS, "devices", "resolvers"]
    for name, value in table.items():
        if name in known or report.full:
            continue
        if name in MOVED:
            report.add((name,), MOVED[name])
            continue
        near, where = nearest(name, known), homes(name)
        if isinstance(value, Mapping | list):
            hint = f"; the nearest known one is [{near}]" if near else f"; known are {', '.join(known)}"
            report.add((name,), f"unknown section{hint}")
        else:
            hint = f"; it belongs into [{where[0]}]" if where else "; every key stands in a section"
            report.add((name,), f"unknown key{hint}")


def homes(name: str) -> list[str]:
    """The sections in which a key of this name is known."""
    return [section for section, kind in all_sections() if name in declared(kind).keys]


def all_sections() -> list[tuple[str, type[Any]]]:
    """Every section of a gate's file but the devices, with its declarations, in the order of the reference."""
    found: list[tuple[str, type[Any]]] = []
    for name, kind in SECTIONS.items():
        found.append((name, kind))
        below = declared(kind)
        found += [(f"{name}.{section}", each) for section, each in below.sections.items()]
        found += [(f"{name}.{group}.NAME", each.kind) for group, each in below.groups.items()]
    return found


def _password(broker: BrokerConfig, environ: Mapping[str, str], report: Report) -> str | None:
    """From the file that is named, else from the environment, else none."""
    if broker.password_file is None:
        return environ.get(PASSWORD_VARIABLE) or None
    return _secret(broker, "broker", report)


def _secret(broker: BrokerConfig, section: str, report: Report) -> str | None:
    return (
        None if broker.password_file is None else read_secret(broker.password_file, (section, "password_file"), report)
    )
