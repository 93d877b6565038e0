"""The decode cascade: zxing-cpp on every picture, and the dear stages where something is that it could not read.

What is there is told by zxing-cpp itself (a code found and not read) or by three eyes of a code in the picture made
small. The dear stages then read that part of the picture alone, one after the other, and go on with the next picture
where this one's time ended; `attention.py` says what they may cost. Where nothing is told, a code that is only seen by
its shape is looked for now and then, for the hints alone (`unclear.py`, `glances.py`).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from drivers.camera.attention import Attention
from drivers.camera.decoders import FIRST, FIRST_QUICK, STAGES, Decode, Seen, Sight, Stage, Unread, apart
from drivers.camera.frames import Box, Gray
from drivers.camera.glances import Glances
from drivers.held_up import acceptable

REST_LOOK = 5  # of pictures in which nothing changes, every so manieth is read
_CHANGE = 4  # grey levels by which the mean of a part of the picture must differ to count as changed
_PART_PX = 32  # side of such a part
_SAMPLE_PX = 8  # of which every so manieth row is looked at
_WHOLE_LOOK = 3  # of pictures without anything, every so manieth gets all that zxing-cpp can do
_EYES = 3  # every so manieth pixel, both ways, is enough to find eyes
_LEAST_PX = 64  # no eyes are looked for in a smaller picture
_MARGIN = 0.35  # about what looks like a code, of its side
_MOST_PARTS = 3  # things that look like codes and are read in one picture
_PICTURE_S = 0.25  # s of computing for the dear stages of one picture of a camera
_STILL_S = 2.0  # and of a photograph


@dataclass(frozen=True, slots=True)
class Look:
    """What a picture held: each code with the decoder that read it, what looks like a code and could not be read, where the codes
    were, and what is a code by its shape alone."""

    codes: dict[bytes, str] = field(default_factory=dict)
    unread: tuple[Unread, ...] = ()
    places: dict[bytes, Box] = field(default_factory=dict, compare=False)
    unclear: tuple[Unread, ...] = ()


class Cascade:
    """Runs the stages. `notice` is told once of a decoder that is not installed; `clock` and `cost` give the time and the
    computing time of this thread, s."""

    def __init__(
        self,
        notice: Callable[[str], None],
        stages: Sequence[Stage] = STAGES,
        *,
        first: Stage = FIRST,
        quick: Stage = FIRST_QUICK,
        clock: Callable[[], float] = time.monotonic,
        cost: Callable[[], float] = time.thread_time,
    ) -> None:
        self._decoders = _Decoders(notice)
        self._stages = stages
        self._first, self._quick = first, quick
        self._clock, self._cost = clock, cost
        self._attention = Attention()
        self._glances = Glances()
        self._next = 0  # the dear stage whose turn it is
        self._pictures = 0
        self._rest = _Rest()
        self._last = Look()
        self._places: dict[bytes, Box] = {}

    def read(self, gray: Gray, *, still: bool = False) -> Look:
        """Read one picture; `still`: a photograph, after which no better picture of the same comes."""
        if gray.size == 0:
            return Look()
        places = self._last.places
        self._places = {}
        look = self._photograph(gray) if still else self._picture(gray)
        unclear = () if still else self._glance(gray, look)
        self._last = replace(look, places=places if look is self._last else self._places, unclear=unclear)
        return self._last

    # a photograph: every stage until something is read and nothing is left that looks like a code

    def _photograph(self, gray: Gray) -> Look:
        self._rest.forget()
        began_s = self._cost()
        codes: dict[bytes, str] = {}
        seen: tuple[Seen, ...] = ()
        unread: tuple[Unread, ...] = ()
        for stage in (self._quick, self._first, *self._stages):
            if (codes and not unread) or self._cost() - began_s > _STILL_S:
                break
            sight = self._see(stage, gray, [each.box for each in unread] if codes else None)
            seen += sight.codes
            self._add(codes, sight, stage)
            unread = tuple(each for each in unread + sight.unread if apart(each.box, seen))
        return Look(codes, unread)

    # a picture of a camera: as much as there is reason for

    def _picture(self, gray: Gray) -> Look:
        self._pictures += 1
        now_ms = int(self._clock() * 1000)
        if self._rest.holds(gray) and not self._last.unread and self._pictures % REST_LOOK:
            self._attention.rested()
            self._glances.earn(self._attention.price_s, rested=True)
            return self._last
        sight, stage = self._read_once(gray, now_ms)
        codes: dict[bytes, str] = {}
        self._add(codes, sight, stage)
        if codes:
            self._attention.were_read((code.box for code in sight.codes), now_ms)
            return Look(codes)
        unread = sight.unread or self._eyes(gray)
        self._attention.looks_like_codes((each.box for each in unread), now_ms)
        if unread:
            self._dear(gray, codes, [each.box for each in unread], now_ms)
        elif self._attention.awake(now_ms):
            self._one_dear(gray, codes, self._attention.where())
        elif self._attention.idle:
            self._one_dear(gray, codes, None)
        return Look(codes, () if codes else unread)

    def _read_once(self, gray: Gray, now_ms: int) -> tuple[Sight, Stage]:
        whole = self._pictures % _WHOLE_LOOK == 0 or self._attention.awake(now_ms)
        stage = self._first if whole else self._quick
        began_s = self._cost()
        sight = self._see(stage, gray, None)
        self._attention.read_once(self._cost() - began_s, whole=whole)
        self._glances.earn(self._attention.price_s, rested=False)
        return sight, stage

    def _eyes(self, gray: Gray) -> tuple[Unread, ...]:
        """What has three eyes of a code, in the picture made small."""
        if not self._attention.may_spend or min(gray.shape) < _LEAST_PX:
            return ()
        from drivers.camera import finders  # with OpenCV

        began_s = self._cost()
        small = np.ascontiguousarray(gray[::_EYES, ::_EYES])
        codes = finders.codes_of(finders.find_eyes(small, finders.BLOCKS[:1]))
        self._attention.spend(self._cost() - began_s)
        return tuple(Unread(Box(*(_EYES * edge for edge in code.box)), _EYES * code.module_px) for code in codes)

    def _glance(self, gray: Gray, look: Look) -> tuple[Unread, ...]:
        """What is a code by its shape, where neither a decoder nor an eye told of one."""
        now_ms = int(self._clock() * 1000)
        if look.codes:
            self._glances.was_read(now_ms)
        if look.codes or look.unread or min(gray.shape) < _LEAST_PX or not self._glances.due(now_ms):
            return ()
        from drivers.camera import unclear  # with OpenCV

        began_s = self._cost()
        last = self._glances.lately(now_ms)
        found = None if last is None else unclear.find_again(gray, last)
        patches = () if found is not None else self._glances.worth(unclear.patches(gray), now_ms)
        for patch in patches:
            found = unclear.find(gray, patch)
            if found is not None:
                break
            self._glances.in_vain(patch, now_ms)
        self._glances.spend(self._cost() - began_s)
        if found is None:
            self._glances.nothing(now_ms)
            return ()
        self._glances.found(found, now_ms)
        return (found,)

    def _dear(self, gray: Gray, codes: dict[bytes, str], boxes: list[Box], now_ms: int) -> None:
        """The dear stages on these parts, until one reads something, each had its turn, or the time is up."""
        began_s = self._cost()
        for _ in self._stages:
            if codes or not self._attention.may_spend or self._cost() - began_s > _PICTURE_S:
                break
            self._one_dear(gray, codes, boxes)
        if codes:
            self._next = 0
            self._attention.were_read(boxes[:1], now_ms)

    def _one_dear(self, gray: Gray, codes: dict[bytes, str], boxes: list[Box] | None) -> None:
        if not self._attention.may_spend or not self._stages:
            return
        stage = self._stages[self._next % len(self._stages)]
        self._next += 1
        began_s = self._cost()
        self._add(codes, self._see(stage, gray, boxes), stage)
        self._attention.spend(self._cost() - began_s)

    def _add(self, codes: dict[bytes, str], sight: Sight, stage: Stage) -> None:
        for code in sight.codes:
            if acceptable(code.data):
                codes.setdefault(code.data, stage.name)
                self._places.setdefault(code.data, code.box)

    def _see(self, stage: Stage, gray: Gray, boxes: list[Box] | None) -> Sight:
        """What a stage sees in the whole picture, or in parts of it."""
        decode = self._decoders.get(stage)
        if decode is None:
            return Sight()
        try:
            sights = [decode(gray)] if boxes is None else [_in_part(decode, gray, box) for box in _distinct(boxes)]
        except Exception as error:  # noqa: BLE001  whatever a library does with a picture costs its stage alone
            self._decoders.failed(stage, error)
            return Sight()
        return Sight(
            tuple(code for sight in sights for code in sight.codes),
            tuple(each for sight in sights for each in sight.unread),
        )


class _Decoders:
    """The stages' decoders, each loaded at its first use."""

    def __init__(self, notice: Callable[[str], None]) -> None:
        self._notice = notice
        self._loaded: dict[str, Decode | None] = {}
        self._failures: set[tuple[str, str]] = set()

    def get(self, stage: Stage) -> Decode | None:
        """The stage's decoder, or None when it is not installed."""
        if stage.name not in self._loaded:
            self._loaded[stage.name] = self._load(stage)
        return self._loaded[stage.name]

    def failed(self, stage: Stage, error: Exception) -> None:
        """It raised this on a picture; the same is told once."""
        failure = (stage.name, type(error).__name__)
        if failure not in self._failures:
            self._failures.add(failure)
            self._notice(
                f"the decoder {stage.name} failed on a picture, going on without what it saw there: {error!r:.200}"
            )

    def _load(self, stage: Stage) -> Decode | None:
        try:
            return stage.load()
        except ImportError as error:
            self._notice(f"the decoder {stage.name} is not installed, going on without it: {error}")
            return None


class _Rest:
    """Whether the picture is still the one that was last looked at, but for noise."""

    def __init__(self) -> None:
        self._parts: Gray | None = None

    def forget(self) -> None:
        """The next picture counts as changed."""
        self._parts = None

    def holds(self, gray: Gray) -> bool:
        """Compare this picture's parts; once one changed, they are what the next are compared with."""
        import cv2

        height, width = (max(1, side // _PART_PX) for side in gray.shape)
        whole = gray[
            : height * _PART_PX : _SAMPLE_PX, : width * _PART_PX
        ]  # without a rest it takes a tenth of the time
        parts = np.asarray(
            cv2.resize(np.ascontiguousarray(whole), (width, height), interpolation=cv2.INTER_AREA), np.uint8
        )
        before = self._parts
        if before is not None and before.shape == parts.shape:
            changed = np.abs(parts.astype(np.int16) - before).max()
            if changed < _CHANGE:
                return True
        self._parts = parts
        return False


def _distinct(boxes: Sequence[Box]) -> list[Box]:
    """The newest of them, without those that are about the same as another."""
    kept: list[Box] = []
    for box in reversed(boxes):
        if len(kept) < _MOST_PARTS and not any(box.holds(other) and other.holds(box) for other in kept):
            kept.append(box)
    return kept


def _in_part(decode: Decode, gray: Gray, box: Box) -> Sight:
    """What a decoder sees in a part of the picture and a margin about it, in the whole picture's pixels."""
    height, width = gray.shape
    part = box.grown(_MARGIN)
    left, top = max(0, part.left), max(0, part.top)
    cut = np.ascontiguousarray(gray[top : min(height, part.bottom), left : min(width, part.right)])
    if cut.size == 0:
        return Sight()
    sight = decode(cut)
    return Sight(
        tuple(Seen(code.data, code.box.moved(left, top)) for code in sight.codes),
        tuple(Unread(each.box.moved(left, top), each.module_px) for each in sight.unread),
    )
