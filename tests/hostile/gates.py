"""A real gate whose camera is shown pictures of codes."""

import re
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.directory import Directory, DirectoryFile
from gateway.trust import import_trust
from sync.contract.keys import raw
from sync.contract.records import Visit, decode_body
from sync.contract.trust import seal_trust
from tests.hostile import forge
from tests.installation import Installation

_OFFICE = Ed25519PrivateKey.generate()
_STEPS = 'resident = ["credential"]\nreturnee = ["credential", "health-code"]\n'


def draw(folder: Path, texts: Sequence[str | bytes]) -> Path:
    """A picture of a QR for each text, in order. Returns the folder."""
    folder.mkdir()
    for number, text in enumerate(texts):
        data = text if isinstance(text, bytes) or text.isascii() else text.encode()  # else it would become Shift-JIS
        code = segno.make(data, error="l", boost_error=False, micro=False)
        code.save(str(folder / f"{number:03d}.png"), scale=4 if len(code.matrix) > 100 else 6)
    return folder


def trusting(day: Installation, content: DirectoryFile, settings: str = "", *, hold_s: float = 0.0) -> None:
    """Let the gate believe the keys of `forge` and know `content`. A credential alone lets residents in; returnees need a
    health code too. `settings`: further lines of the section [policy.credentials], and sections after it; `hold_s`: how
    long each picture is shown."""

    def change(text: str) -> str:
        text = re.sub(r"office_keys = .+", f'office_keys = ["{raw(_OFFICE.public_key()).hex()}"]', text)
        text = re.sub(r"^\[policy\.credentials\]\n(.+\n)*", "", text, flags=re.MULTILINE)
        text = text.replace("hold_s = 0.0", f"hold_s = {hold_s}")
        text = text.replace("[policy.portal]\n", "[policy.portal]\nrelease_s = 1.0\n")
        text = text.replace("[policy.visit]\n", "[policy.visit]\nbetween_steps_s = 60.0\n")
        return f"{text}\n[policy.steps]\n{_STEPS}\n[policy.credentials]\n{settings}\n"

    day.configure(visits=None, change=change)
    file = day.journal.with_name("directory.sqlite")
    file.unlink()
    directory = Directory(file)
    directory.replace(content)
    import_trust(directory, seal_trust(forge.trust_list(), _OFFICE), [_OFFICE.public_key()], int(time.time()))


def visits(day: Installation) -> list[Visit]:
    """All visits in the gate's journal, in order."""
    bodies = [
        decode_body("visit", body) for (body,) in day.ask_journal("SELECT body FROM records WHERE kind = 'visit'")
    ]
    return [body for body in bodies if isinstance(body, Visit)]


def facts(visit: Visit) -> dict[str, str]:
    """What a visit's record keeps of a certificate."""
    return dict(msgspec.to_builtins(visit).get("facts", {}))
