"""Codes read from photographs: pyzbar, zxing-cpp, OpenCV's two detectors and our cascade, side by side on every one.

    make bench NAME=qr [DATA=FOLDER]        python -m bench.qr [--data FOLDER]

    {"files": …, "cascade_rate": …, "zxing_rate": …, "pyzbar_rate": …, "misreads": …, "false_positives": …, "cascade_ms_p50": …, …}

The folder (default ../shared/data/qr) has a MANIFEST.csv with the columns of the one there. Rates are of the photographs that hold
codes: one counts when one of its codes is returned with exactly its text. A code's bytes are compared, in any encoding
that the manifest's text may have been guessed with (UTF-8, Latin-1, Shift-JIS, GB 18030, Big5). Of the cascade alone:

`misreads`          texts that the manifest contradicts: it knows the text of every code on the photograph, and this is none
`disputed`          of those not counted, because ZBar reads the same bytes: the manifest is wrong (listed on standard error)
`unverified`        texts of photographs some of whose codes the manifest has no text of
`false_positives`   codes on photographs that have none
`unreadable`        files that are no picture: they count as photographs in which nothing was found

Times are the computing time of the thread, so that other work on the machine does not count. OpenCV's detectors run in a
process of their own and are killed after 10 s on one photograph, which they need (opencv#26642).
"""

import argparse
import csv
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import cv2
import numpy as np
import zxingcpp

from bench.common import progress
from drivers.camera.cascade import Cascade
from drivers.camera.frames import Gray
from drivers.camera.sources import read_photograph

ENCODINGS = ("utf-8", "latin-1", "cp932", "gb18030", "big5")
PATIENCE_S = 10.0
Read = Callable[[Gray], list[bytes]]


@dataclass(frozen=True, slots=True)
class Photograph:
    """A line of the manifest."""

    path: Path
    group: str
    codes: int
    texts: frozenset[str]


@dataclass
class Score:
    """What one decoder made of them."""

    found: int = 0
    ms: list[float] = field(default_factory=list)
    misreads: list[str] = field(default_factory=list)
    disputed: list[str] = field(default_factory=list)
    unverified: int = 0
    unreadable: list[str] = field(default_factory=list)
    false_positives: list[str] = field(default_factory=list)
    by_group: dict[str, int] = field(default_factory=dict)


def photographs(folder: Path) -> list[Photograph]:
    """Those of the manifest. Exits with a word when there is none."""
    manifest = folder / "MANIFEST.csv"
    if not manifest.is_file():
        sys.exit(f"{manifest} is not there: name a folder with DATA=FOLDER (make) or --data FOLDER")
    with manifest.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        try:
            lacks = {"file", "set", "n_codes", "expected_text"} - set(rows.fieldnames or ())
            if lacks:
                sys.exit(f"{manifest} has no column {', '.join(sorted(lacks))}")
            found = [_photograph(folder, row, f"{manifest}, line {rows.line_num}") for row in rows]
        except (UnicodeDecodeError, csv.Error) as error:
            sys.exit(f"{manifest} is no CSV in UTF-8: {error}")
    if not found:
        sys.exit(f"{manifest} names no photograph")
    return found


def _photograph(folder: Path, row: Mapping[str, str | None], where: str) -> Photograph:
    """A line of the manifest. Exits with a word for one that is none."""
    file = (row["file"] or "").replace("\\", "/")
    try:
        codes, texts = int(row["n_codes"] or ""), json.loads(row["expected_text"] or "[]")
    except ValueError as error:
        sys.exit(f"{where}: n_codes is a number and expected_text a JSON list: {error}")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        sys.exit(f"{where}: expected_text is a JSON list of texts")
    path = folder / file
    if not path.is_file():
        sys.exit(f"{where}: there is no file {path}")
    return Photograph(path, row["set"] or "", codes, frozenset(texts))


def says(data: bytes, texts: frozenset[str]) -> bool:
    """Whether the bytes are one of the texts, in any of the encodings."""
    for encoding in ENCODINGS:
        try:
            if data.decode(encoding) in texts:
                return True
        except UnicodeDecodeError:
            continue
    return False


def judge(score: Score, photograph: Photograph, read: Sequence[bytes], ms: float, gray: Gray) -> None:
    """Count what was read on one photograph."""
    score.ms.append(ms)
    if photograph.codes == 0:
        score.false_positives += [f"{photograph.path}: {data!r}" for data in read]
        return
    if any(says(data, photograph.texts) for data in read):
        score.found += 1
        score.by_group[photograph.group] = score.by_group.get(photograph.group, 0) + 1
    for data in read:
        if says(data, photograph.texts):
            continue
        if len(photograph.texts) < photograph.codes:
            score.unverified += 1
        elif zbar_agrees(data, gray):
            score.disputed.append(f"{photograph.path}: {data!r}")
        else:
            score.misreads.append(f"{photograph.path}: {data!r}")


def zbar_agrees(data: bytes, gray: Gray) -> bool:
    """Whether ZBar, which shares nothing with zxing-cpp, reads the same on the photograph however prepared."""
    prepared = (gray, cv2.GaussianBlur(gray, (0, 0), 1), cv2.GaussianBlur(gray, (0, 0), 2), cv2.medianBlur(gray, 5))
    read = pyzbar_reader()
    return any(data in read(np.asarray(each, np.uint8)) for each in prepared)


def zxing_reader() -> Read:
    """zxing-cpp as it comes, for QR only."""
    formats = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCodeModel2, zxingcpp.BarcodeFormat.QRCodeModel1])
    return lambda gray: [code.bytes for code in zxingcpp.read_barcodes(gray, formats=formats)]


def pyzbar_reader() -> Read:
    """ZBar for QR only; nothing when the library is not installed."""
    try:
        from pyzbar import pyzbar
    except ImportError:
        return lambda _gray: []

    def read(gray: Gray) -> list[bytes]:
        height, width = gray.shape
        try:
            found = pyzbar.decode((gray.tobytes(), width, height), symbols=[pyzbar.ZBarSymbol.QRCODE])
        except ValueError:  # an orientation that it does not know: a code of several parts
            return []
        return [code.data for code in found]

    return read


def cascade_reader() -> Read:
    """Ours, as the gate reads a photograph."""
    cascade = Cascade(lambda notice: print(notice, file=sys.stderr))
    return lambda gray: list(cascade.read(gray, still=True).codes)


def opencv_reader(name: str) -> Read:
    """One of OpenCV's detectors."""
    detector = getattr(cv2, name)()

    def read(gray: Gray) -> list[bytes]:
        try:
            _, texts, *_ = detector.detectAndDecodeMulti(gray)
        except (cv2.error, UnicodeDecodeError):  # its binding gives no bytes: what is no UTF-8 can't be had
            return []
        return [text.encode() for text in texts if text]

    return read


def _serve(name: str, connection: Connection) -> None:
    cv2.setNumThreads(1)
    read = opencv_reader(name)
    while True:
        connection.send(timed(read, connection.recv()))


class Killable:
    """A detector of OpenCV's in a process that is killed when it takes too long."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def _start(self) -> None:
        self._ours, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(self._name, theirs), daemon=True)
        self._process.start()

    def read(self, gray: Gray) -> tuple[list[bytes], float]:
        """What it reads, and the ms it took."""
        self._ours.send(gray)
        if self._ours.poll(PATIENCE_S + 10 * (not self._process.is_alive())):
            answer: tuple[list[bytes], float] = self._ours.recv()
            return answer
        self.end()
        self._start()
        return [], 1000 * PATIENCE_S

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.join()


def timed(read: Read, gray: Gray) -> tuple[list[bytes], float]:
    """What is read, and the computing time it took, ms."""
    began_s = time.thread_time()
    data = read(gray)
    return data, 1000 * (time.thread_time() - began_s)


def measure(files: Sequence[Photograph]) -> dict[str, Score]:
    """Every decoder on every photograph; who begins changes, so that nobody always finds the picture in the cache."""
    ours: dict[str, Read] = {"cascade": cascade_reader(), "zxing": zxing_reader(), "pyzbar": pyzbar_reader()}
    theirs = {"opencv": Killable("QRCodeDetector"), "opencv_aruco": Killable("QRCodeDetectorAruco")}
    scores = {name: Score() for name in (*ours, *theirs)}
    for read in ours.values():
        read(np.full((64, 64), 128, np.uint8))
    for number, photograph in enumerate(progress(files, "photographs")):
        try:
            gray = read_photograph(photograph.path)
        except (OSError, ValueError) as error:
            for score in scores.values():
                score.unreadable.append(f"{photograph.path}: {error}")
            continue
        names = list(ours)
        for name in names[number % 3 :] + names[: number % 3]:
            judge(scores[name], photograph, *timed(ours[name], gray), gray)
        for name, process in theirs.items():
            judge(scores[name], photograph, *process.read(gray), gray)
    for process in theirs.values():
        process.end()
    return scores


def table(files: Sequence[Photograph], scores: dict[str, Score]) -> None:
    """Found by group of photographs, on standard error."""
    print(f"{'':28}" + "".join(f"{name:>14}" for name in ("with codes", *scores)), file=sys.stderr)
    for group in dict.fromkeys(each.group for each in files if each.codes):
        count = sum(each.group == group and each.codes > 0 for each in files)
        found = "".join(f"{score.by_group.get(group, 0):>14}" for score in scores.values())
        print(f"{group:28}{count:>14}{found}", file=sys.stderr)
    ours = scores["cascade"]
    for word, lines in (
        ("misread", ours.misreads),
        ("disputed", ours.disputed),
        ("false", ours.false_positives),
        ("unreadable", ours.unreadable),
    ):
        for line in lines:
            print(f"{word}: {line}", file=sys.stderr)


def main() -> None:
    """Read all and print the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.qr", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data/qr"), help="the folder of photographs")
    cv2.setNumThreads(1)
    files = photographs(parser.parse_args().data)
    scores = measure(files)
    table(files, scores)
    coded, ours = sum(each.codes > 0 for each in files), scores["cascade"]
    figures: dict[str, float] = {"files": len(files), "with_codes": coded}
    figures |= {f"{name}_rate": round(score.found / max(1, coded), 4) for name, score in scores.items()}
    figures |= {
        "misreads": len(ours.misreads),
        "disputed": len(ours.disputed),
        "unverified": ours.unverified,
        "false_positives": len(ours.false_positives),
        "unreadable": len(ours.unreadable),
    }
    for name, score in scores.items():
        cuts = statistics.quantiles(score.ms if len(score.ms) > 1 else [*score.ms, *score.ms] or [0.0, 0.0], n=20)
        figures |= {f"{name}_ms_p50": round(cuts[9], 2), f"{name}_ms_p95": round(cuts[18], 2)}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
