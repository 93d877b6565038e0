"""`make fuzz NAME=pass TIME=60`: one target under atheris, from its seeds and from what earlier runs found.

What makes a decoder fail is kept in var/fuzz/NAME-crash-…; `python -m tests.fuzz NAME FILE` runs it again, without atheris.
"""

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import django

from tests.fuzz.target import Target

FOLDER = Path("var/fuzz")
OURS = ["sync", "gateway", "drivers", "central.ingest", "central.trust"]
MAX_LENGTH = 8 * 1024  # bytes of one input: above what a QR holds
SLOW_S = 5  # an input that takes longer is a finding
MEMORY_MB = 1024


def main(arguments: list[str]) -> None:
    """Fuzz, or run a file again."""
    again = len(arguments) == 2 and Path(arguments[1]).is_file()
    engine = None if again else _engine()
    targets = _targets(engine)
    if len(arguments) != 2 or arguments[0] not in targets or not (again or arguments[1].isdecimal()):
        sys.exit(f"usage: make fuzz NAME=… TIME=seconds, with one of these names: {' '.join(sorted(targets))}")
    target = targets[arguments[0]]
    if engine is None:
        target.run(Path(arguments[1]).read_bytes())
        return
    engine.Setup([sys.argv[0], *_options(target, arguments[1])], target.run)
    engine.Fuzz()


def _engine() -> Any:
    try:
        import atheris  # type: ignore[import-untyped,unused-ignore]  # it ships no types
    except ImportError:
        sys.exit("atheris is not installed: it exists for x86-64 only; there, `make fuzz` installs it")
    return atheris


def _targets(engine: Any) -> dict[str, Target]:
    """All targets; their imports, and what those import, are instrumented by the engine."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "central.settings")
    django.setup()  # the office's reader of messages stands beside its models
    with nullcontext() if engine is None else engine.instrument_imports(include=OURS):
        from tests.fuzz.targets import TARGETS
    return TARGETS


def _options(target: Target, seconds: str) -> list[str]:
    """libFuzzer's, with the seeds written where it looks for them."""
    corpus = FOLDER / target.name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    return [
        f"-max_total_time={seconds}",
        f"-max_len={MAX_LENGTH}",
        f"-timeout={SLOW_S}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-artifact_prefix={FOLDER}/{target.name}-",
        "-print_final_stats=1",
        str(corpus),
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
