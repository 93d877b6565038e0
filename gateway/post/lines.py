"""The lines of a post: one for each kind of alarm, with the gate's name in it; its packs are `config/phrases/post-zh.toml` and
`post-en.toml`."""

from typing import Final

from gateway.post.core import GATE_SILENT, OFFICE_DATA
from gateway.voice.packs import Book
from sync.contract.alarms import AlarmKind

KINDS: Final = (*(kind.value for kind in AlarmKind), GATE_SILENT, OFFICE_DATA)
UNKNOWN: Final = "unknown-alarm"  # of a newer gate
VALUES: Final = ("gate_zh", "gate_en")
POST_BOOK: Final = Book(
    (*KINDS, UNKNOWN), {**dict.fromkeys(KINDS, VALUES), UNKNOWN: (*VALUES, "kind")}, file="post-{lang}.toml"
)
