"""The sections [resolvers.NAME]: services that are asked about health codes."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gateway.config.lines import KeyPath
from gateway.config.problems import Report, dotted
from gateway.config.secret_file import read_secret
from gateway.config.settings import CODE, ResolverConfig
from gateway.config.tables import NAME, Reader, shown
from sync.tls import TlsFileError, is_loopback

ALONE_LENGTH: Final = 16
"""The shortest code that needs no text around it: what is scanned at a gate by mistake is rarely such a token."""
MEANINGS: Final = ("green", "yellow", "red", "expired", "not_found", "failed")
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # b64token of RFC 6750, section 2.1
_FILES: Final = ("token_file", "ca_file", "certificate_file", "key_file")


def read_resolvers(table: object, reader: Reader, report: Report) -> tuple[ResolverConfig, ...]:
    """The resolvers of a file, in its order; what is wrong goes into the report."""
    if not isinstance(table, Mapping):
        report.add(("resolvers",), "must be sections of their own: [resolvers.NAME]")
        return ()
    found: list[ResolverConfig] = []
    for name, section in table.items():
        if report.full:
            break
        path = ("resolvers", name)
        if not NAME.fullmatch(name):
            report.add(path, f"{shown(name)} is no name for a resolver: 1 to 32 of a-z, 0-9 and '-'")
        if not isinstance(section, Mapping):
            report.add(path, f"must be a section: [{dotted(path)}]")
            continue
        config = reader.section(ResolverConfig, section, path)
        if config is not None:
            found.append(_checked(replace(config, name=name), path, report))
    _refuse_same(found, report)
    return tuple(found)


def _checked(config: ResolverConfig, path: KeyPath, report: Report) -> ResolverConfig:
    """The same with its token, and everything that a single key cannot tell reported."""
    _check_pattern(config, path, report)
    _check_endpoint(config.endpoint, (*path, "endpoint"), report)
    if config.request_field in config.request:
        report.rule(
            "is the field that holds {code}", (*path, "request", config.request_field), (*path, "request_field")
        )
    if "" in config.answer_field.split("."):
        report.rule(f"{shown(config.answer_field)} lacks a name beside a dot", (*path, "answer_field"))
    _check_meanings(config, path, report)
    _check_tls(config, path, report)
    token = None if config.token_file is None else read_secret(config.token_file, (*path, "token_file"), report)
    if token is not None and not _TOKEN.fullmatch(token):
        report.rule(
            f"{config.token_file} holds no bearer token: letters, digits and -._~+/ alone", (*path, "token_file")
        )
    return replace(config, token=token)


def _check_pattern(config: ResolverConfig, path: KeyPath, report: Report) -> None:
    place: KeyPath = (*path, "pattern")
    before, behind = config.around
    if config.pattern.count(CODE) != 1:
        report.rule(f"must have {CODE} once, at the place of what is sent", place)
    elif not before + behind and config.code_min_length < ALONE_LENGTH:
        text = (
            f"is {CODE} alone: every text that is scanned would be sent away. Write what stands before or behind it, "
            f"or let code_min_length be at least {ALONE_LENGTH}"
        )
        report.rule(text, place, (*path, "code_min_length"))
    if config.code_min_length > config.code_max_length:
        text = f"{config.code_min_length} must not be above code_max_length, which is {config.code_max_length}"
        report.rule(text, (*path, "code_min_length"), (*path, "code_max_length"))


def _check_endpoint(endpoint: str, place: KeyPath, report: Report) -> None:
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        report.rule(f"{shown(endpoint)} is no address", place)
        return
    if parts.scheme not in ("https", "http") or not host:
        report.rule(f"{shown(endpoint)} is no address that begins with https:// and a name", place)
    elif parts.scheme == "http" and not is_loopback(host):
        report.rule("must begin with https://: over http:// anybody on the way could read and change it", place)
    elif parts.username is not None or parts.password is not None:
        report.rule("a password has no place in this file: name a file that holds a token in token_file", place)
    elif parts.fragment or CODE in endpoint:
        report.rule(f"is one fixed address, without # and {CODE}: the code is sent in request_field", place)


def _check_meanings(config: ResolverConfig, path: KeyPath, report: Report) -> None:
    if not config.green:
        report.rule("names no value: nobody could ever pass", (*path, "green"))
    first: dict[str, str] = {}
    for meaning in MEANINGS:
        for at, value in enumerate(getattr(config, meaning)):
            other = first.setdefault(value, meaning)
            if other != meaning:
                report.rule(f"{shown(value)} already means {other}", (*path, meaning, at), (*path, other))


def _check_tls(config: ResolverConfig, path: KeyPath, report: Report) -> None:
    """TLS would refuse the files only when the gate starts."""
    files: dict[str, Path | None] = {name: getattr(config, name) for name in _FILES}
    missing = {name: file for name, file in files.items() if file is not None and not file.is_file()}
    for name, file in missing.items():
        report.add((*path, name), f"{file} is no file" if file.exists() else f"{file} does not exist")
    if config.key_file is not None and config.certificate_file is None:
        report.rule("is a key without certificate_file", (*path, "key_file"))
    if missing or not (config.ca_file or config.certificate_file):
        return
    from gateway.resolve.asking import tls_context

    try:
        tls_context(config)
    except TlsFileError as error:
        report.rule(str(error), (*path, error.key))


def _refuse_same(found: list[ResolverConfig], report: Report) -> None:
    first: dict[str, str] = {}
    for config in found:
        other = first.setdefault(config.pattern, config.name)
        if other != config.name:
            text = f"is that of [{dotted(('resolvers', other))}] too, which is asked first"
            report.rule(text, ("resolvers", config.name, "pattern"), ("resolvers", other, "pattern"))
