"""Plays rounds and controls, several side by side in processes of their own, and takes what comes of them."""

import multiprocessing
import random
import shutil
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.faults.rounds.catalogue import every_kind
from tests.faults.rounds.kinds import Found, Kind, Round

T = TypeVar("T")
Work = Callable[[Kind, int, Path], T]


@dataclass(frozen=True, slots=True)
class Played:
    """One round or control. `ended`: it came to its end. `folder`: where its files are, unless they were removed."""

    found: Found
    seconds: float
    ended: bool
    folder: Path

    @property
    def caught(self) -> bool:
        """Of a control: it was found out. One that does not come to its end proves nothing."""
        return self.ended and not self.found.sound


def play_round(kind: Kind, seed: int, below: Path) -> Played:
    """A round. Its folder is kept when it is not sound."""
    played = _play(kind.play, seed, below / f"{kind.name}-{seed}")
    if played.found.sound:
        shutil.rmtree(played.folder)
    return played


def play_control(kind: Kind, seed: int, below: Path) -> list[Played]:
    """A kind's control, again and again until it is found out. The folder of one that did not come to its end is kept."""
    every = []
    for number in range(seed, seed + kind.control_rounds):
        played = _play(kind.control, number, below / f"control-{kind.name}-{number}")
        every.append(played)
        if played.ended:
            shutil.rmtree(played.folder)
        if played.caught:
            break
    return every


def _play(round_: Round, seed: int, folder: Path) -> Played:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    begun = time.monotonic()
    try:
        found, ended = round_(random.Random(seed), folder), True
    except Exception as error:  # noqa: BLE001  whatever ended it, the others are still to be played
        (folder / "traceback").write_text(traceback.format_exc())
        found, ended = Found(0, 0, 0, f"it did not come to its end: {error!r:.300}"), False
    return Played(found, time.monotonic() - begun, ended, folder)


# side by side

Task = tuple[Kind, int]
Hands = Callable[[Work[T], Iterable[Task], Path], Iterator[tuple[Task, T]]]


def one_by_one(work: Work[T], tasks: Iterable[Task], below: Path) -> Iterator[tuple[Task, T]]:
    """All of them in this process."""
    for kind, seed in tasks:
        yield (kind, seed), work(kind, seed, below)


def side_by_side(jobs: int) -> "Hands[T]":
    """So many at a time, each in a process of its own; as they come to their end."""

    def hands(work: Work[T], tasks: Iterable[Task], below: Path) -> Iterator[tuple[Task, T]]:
        with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
            waiting = {pool.submit(_by_name, work, kind.name, seed, below): (kind, seed) for kind, seed in tasks}
            try:
                for done in as_completed(waiting):
                    yield waiting[done], done.result()
            finally:
                pool.shutdown(cancel_futures=True)

    return hands


def _by_name(work: Work[T], name: str, seed: int, below: Path) -> T:
    """In the other process: a kind cannot be sent there, but its name can."""
    return work(next(kind for kind in every_kind() if kind.name == name), seed, below)


def draw(kinds: Sequence[Kind], seed: int) -> Kind:
    """The kind of the round with this seed."""
    return random.Random(f"kind {seed}").choices(kinds, [kind.weight for kind in kinds])[0]
