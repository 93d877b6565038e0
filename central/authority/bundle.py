"""What a gate is given: its key and certificate, the authority, and a file to run by that lacks only the devices."""

import io
import json
import os
import tarfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from central.authority.folder import Identity

_CONFIG: Final = """\
# 门岗 {gate} 的配置，由办公室生成（menshen office gate-bundle）。还缺设备：照 menshen gate example 补上，再检查。
# The file of gate {gate}, made by the office (menshen office gate-bundle). It lacks the devices: add them as
# `menshen gate example` shows, and have it checked:
#   menshen gate check --config gate.toml

[gate]
id = {gate_text}
site = {site}
name = {name}
data_dir = "/var/lib/menshen"

# 只用 TLS，双方都出示证书。Both ends show a certificate; there is no other way in.
[broker]
host = {host}
port = {port}
ca_file = "authority.pem"
certificate_file = "gate.pem"
key_file = "gate.key"

# 办公室的公钥：名录、命令、信任列表都由它签名。The office's public keys, which sign all that comes down.
[trust]
office_keys = [
{office_keys}]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFacts:
    """Whose bundle it is, and where it will go. `office_keys`: 64 hexadecimal digits each."""

    gate: str
    site: str
    name: str
    host: str
    port: int
    office_keys: Sequence[str]


def bundle_files(facts: GateFacts, identity: Identity, authority: bytes) -> dict[str, bytes]:
    """The files by name. What ends in `.key` is secret."""
    return {
        "gate.toml": _config(facts).encode(),
        "authority.pem": authority,
        "gate.pem": identity.certificate,
        "gate.key": identity.key,
    }


def write_files(files: Mapping[str, bytes], out: Path) -> None:
    """Into a new folder; or, where `out` ends in `.tar`, into a new archive for its owner's eyes only. Raises OSError, and
    FileExistsError where something is there already."""
    if out.suffix == ".tar":
        _write(out, _archive(files), 0o600)
        return
    out.mkdir(mode=0o700, parents=True)
    for name, data in files.items():
        _write(out / name, data, _mode(name))


def _config(facts: GateFacts) -> str:
    return _CONFIG.format(
        gate=facts.gate,
        gate_text=_text(facts.gate),
        site=_text(facts.site),
        name=_text(facts.name),
        host=_text(facts.host),
        port=facts.port,
        office_keys="".join(f"    {_text(key)},\n" for key in facts.office_keys),
    )


def _text(text: str) -> str:
    """As TOML has it; a JSON string is one, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _archive(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(data), _mode(name), int(time.time())
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _mode(name: str) -> int:
    return 0o600 if name.endswith(".key") else 0o644


def _write(path: Path, data: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
