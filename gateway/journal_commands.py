"""`menshen gate journal …`: look into a gate's journal, take it out, verify it, erase a person from it."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.errors import GatewayError
from gateway.loading_or_exit import load_or_exit
from gateway.progress import progress

if TYPE_CHECKING:
    from gateway.journal.browsing import Selection
    from gateway.journal.erasing import Found

Command = Callable[..., None]
SHOWN: Final = 10  # records that are named before they are erased


class Instant(click.ParamType[int]):
    """A date, or a date and time, as Unix milliseconds; by this machine's time zone where it names none."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Unix milliseconds."""
        try:
            return int(datetime.fromisoformat(str(value)).timestamp() * 1000)
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is no time: 2026-11-24, 2026-11-24T08:30 or 2026-11-24T08:30:00+08:00 are", param, ctx
            )


def _which(command: Command) -> Command:
    """The journal to look into: a gate's, by its configuration, or any file."""

    @wraps(command)
    def run(config: Path | None, file: Path | None, **rest: Any) -> None:
        try:
            command(path=_journal(config, file), **rest)
        except (GatewayError, OSError) as error:
            raise click.ClickException(str(error)) from error

    path = click.Path(path_type=Path)
    run = click.option("--file", metavar="JOURNAL", type=path, help="Any journal, e.g. one that was moved aside.")(run)
    return click.option("--config", metavar="FILE", type=path, help="The gate's file (TOML): its own journal.")(run)


def _journal(config: Path | None, file: Path | None) -> Path:
    match config, file:
        case (Path(), None):
            return load_or_exit(config).gate.data_dir / "journal.sqlite"
        case (None, Path()):
            return file
    raise click.UsageError("name the gate's file with --config FILE, or a journal with --file JOURNAL")


def _tell_unknown(kinds: tuple[str, ...]) -> None:
    """That a kind is none of this version's, as a journal of another one may have: nothing found may be a slip of the pen."""
    from gateway.config.tables import nearest
    from sync.contract.records import KINDS

    for kind in kinds:
        if kind not in KINDS:
            near = nearest(kind, KINDS)
            meant = f"do you mean {near}?" if near else f"known are {', '.join(KINDS)}"
            click.echo(f"--kind {kind}: this version knows no such records; {meant}", err=True)


def _choosing(command: Command) -> Command:
    """Options that choose records, as one `Selection`."""

    @wraps(command)
    def run(
        kind: tuple[str, ...], since: int | None, until: int | None, first: int, last: int | None, **rest: Any
    ) -> None:
        from gateway.journal.browsing import Selection
        from sync.log.records import INT64

        _tell_unknown(kind)
        if since is not None and until is not None and since >= until:
            raise click.UsageError("--until is not after --since: no record is between them")
        if last is not None and last < first:
            raise click.UsageError(f"--to {last} is less than --from {first}: no record is between them")
        selection = Selection(
            kinds=frozenset(kind),
            since_ms=-INT64 if since is None else since,
            until_ms=INT64 if until is None else until,
            first=first,
            last=INT64 if last is None else last,
        )
        command(selection=selection, **rest)

    number = click.IntRange(1)
    for option in (
        click.option("--to", "last", metavar="SEQ", type=number, help="Up to this number."),
        click.option("--from", "first", metavar="SEQ", type=number, default=1, help="From this number on."),
        click.option("--until", type=Instant(), help="Before this time."),
        click.option("--since", type=Instant(), help="From this time on, by the gate's clock: 2026-11-24T08:30."),
        click.option("--kind", multiple=True, metavar="KIND", help="Only this kind (visit, alarm …); may be repeated."),
    ):
        run = option(run)
    return run


@click.group()
def journal() -> None:
    """Look into a gate's journal, take it out, verify it, erase a person. The gate may go on running, but for erasing.

    \b
    menshen gate journal list   --config gate.toml --kind visit --since 2026-11-24T08:00
    menshen gate journal export --config gate.toml --format csv --out november.csv
    menshen gate journal verify --config gate.toml
    menshen gate journal erase  --config gate.toml --holder h-0101
    """


@journal.command("list")
@_which
@_choosing
@click.option("--last", "count", default=50, show_default=True, type=click.IntRange(0), help="So many; 0: all of them.")
def list_records(path: Path, selection: "Selection", count: int) -> None:
    """List records, the newest last: number, time, kind and body. A time with ≈ is of a clock that nothing kept right.

    On a terminal it is a table; into a file or a pipe, one record a line with tabs between: number, time, kind, body.

    Exit code 0: done, also where nothing was found. 1: the journal cannot be read. 2: wrong options.

    \b
    menshen gate journal list --config gate.toml --kind alarm --kind mode
    menshen gate journal list --config gate.toml --from 1200 --to 1250 --last 0
    menshen gate journal list --file /var/lib/menshen/journal.sqlite.damaged-1
    """
    from gateway.journal.browsing import Browser
    from gateway.journal.showing import print_rows

    browser = Browser(path)
    try:
        if count:
            print_rows(browser.newest(selection, count))
        else:
            for _, rows in browser.pages(selection, browser.standing().head.seq):
                print_rows(rows)
    finally:
        browser.close()


@journal.command()
@_which
@_choosing
@click.option("--format", "form", required=True, type=click.Choice(["jsonl", "csv"]), help="JSON Lines, or CSV.")
@click.option("--out", required=True, metavar="FILE", type=click.Path(path_type=Path), help="Where to; a new file.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def export(path: Path, selection: "Selection", form: str, out: Path, force: bool) -> None:
    """Write whole records to a file: number, kind, times, clock, boot, body, salt and both hashes.

    The file is readable by its owner only, and stands under its name when it is whole. A JSON line carries the body byte
    for byte as it was hashed. In CSV a text that a spreadsheet would take for a formula begins with an apostrophe.

    Exit code 0: done. 1: the journal cannot be read or the file not written; no file is left. 2: wrong options.

    \b
    menshen gate journal export --config gate.toml --format jsonl --out journal.jsonl
    menshen gate journal export --config gate.toml --format csv --kind visit --since 2026-11-01 --out november.csv
    """
    from gateway.journal.exporting import export as write

    if not out.parent.is_dir():
        raise click.UsageError(f"{out.parent}: there is no such folder to write into")
    if out.exists() and not force:
        raise click.UsageError(f"{out} is there already: name another file, or say --force")
    with progress("writing") as tell:
        count = write(path, selection, out, csv=form == "csv", progress=tell)
    click.echo(f"{out}: {count} records")


@journal.command()
@_which
def verify(path: Path) -> None:
    """Walk the whole chain: every hash, every body against its own, the numbers without a gap, from what was trimmed up to
    the last record, and that it has what the office has acknowledged.

    Exit code 0: whole. 1: broken, and where first, or it cannot be read. 2: wrong options.

    \b
    menshen gate journal verify --config gate.toml
    """
    from gateway.journal.browsing import Browser

    browser = Browser(path)
    try:
        with progress("verifying") as tell:
            standing, verified = browser.verify_all(tell)
    finally:
        browser.close()
    first, last = standing.trimmed.seq + 1, standing.trimmed.seq + verified.records
    trimmed = f", 1 to {first - 1} were trimmed" if first > 1 else ""
    held = f"{verified.records} records ({first} to {last})" if verified.records else "no records"
    given_up = f", the bodies of {verified.given_up} given up to make room" if verified.given_up else ""
    click.echo(f"{path}: whole: {held}, {verified.erased} of them erased{given_up}{trimmed}")
    click.echo(f"log {standing.log_id}, acknowledged by the office up to {standing.acked.seq}")
    click.echo(f"hash of the last record: {standing.head.hash.hex()}")


@journal.command()
@_which
@click.option("--holder", metavar="H", help="Every record that names this holder.")
@click.option("--visit", metavar="V", help="Every record of this visit.")
@click.option("--seq", "seqs", multiple=True, metavar="N", type=click.IntRange(1), help="This record.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def erase(path: Path, holder: str | None, visit: str | None, seqs: tuple[int, ...], yes: bool) -> None:
    """Erase a person: delete body and salt of records for good. Number, kind, time and hashes stay, so that the chain still
    verifies and the office still takes what is sent. It cannot be undone.

    The gate must be stopped (it writes and sends the same file), and cannot start meanwhile. A holder's visits say no more
    of the person than their id; to erase the passages and doors of a visit too, erase it with --visit.

    Erased is what this file holds. The office's copy is the office's own matter, as are exported files, backups, journals
    that were moved aside (they are named; give each with --file), and the holder's entry in the directory.

    Exit code 0: erased, or was so already. 1: nothing was erased: the gate is running, nothing was found, the answer was
    no, or it failed. 2: wrong options.

    \b
    sudo systemctl stop menshen-gate
    menshen gate journal erase --config gate.toml --holder h-0101
    sudo systemctl start menshen-gate
    """
    from gateway.journal import erasing

    if sum((holder is not None, visit is not None, bool(seqs))) != 1:
        raise click.UsageError("say whom or what: one of --holder H, --visit V, --seq N")
    with erasing.stopped(path):
        with progress("searching") as tell:
            if holder is not None:
                found = erasing.find_named(path, "holder", holder, tell)
            elif visit is not None:
                found = erasing.find_named(path, "visit", visit, tell)
            else:
                found = erasing.find_numbers(path, seqs)
        _tell_found(found)
        if found.rows and not yes:
            click.confirm(f"Erase {len(found.rows)} records for good?", abort=True)
        with progress("erasing") as tell:  # of none, too: it empties the write-ahead log of what was erased before
            erasing.erase(path, [row[0] for row in found.rows], tell)
    _tell_elsewhere(path)
    if not found.rows and not found.erased:
        raise click.ClickException(f"{path}: no record names {holder or visit!r}: nothing was erased")
    click.echo(f"{path}: {len(found.rows)} records erased")


def _tell_found(found: "Found") -> None:
    """What will be erased, and what nobody can tell."""
    from gateway.journal.showing import print_rows

    if found.erased:
        click.echo(f"erased already, or given up to make room: {', '.join(map(str, found.erased))}", err=True)
    if found.unreadable:
        click.echo(f"{found.unreadable} records have a body that is no JSON: whom they name cannot be told", err=True)
    print_rows(found.rows[:SHOWN])
    if len(found.rows) > SHOWN:
        click.echo(f"… and {len(found.rows) - SHOWN} more")


def _tell_elsewhere(path: Path) -> None:
    """Where else the same people may stand."""
    from gateway.journal.strays import beside

    click.echo("the office's copy is not touched by this: erase it there", err=True)
    for older in beside(path):
        click.echo(f"not searched: {older}; erase there with --file", err=True)
