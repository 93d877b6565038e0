"""`menshen office directory …`: registers from files, and a repair."""

from pathlib import Path

import click

from central.setting_up import with_database

KINDS = ("holders", "cards", "revoked", "statuses", "bookings", "duty")
REFUSED = 3  # exit code


@click.group()
def directory() -> None:
    """The sites' directories: whom the gates know. The pages under /admin/ do the same.

    \b
    menshen office directory import holders people.csv --site garden-court
    menshen office directory rebuild garden-court
    """


@directory.command("import")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--site", required=True, help="Whose directory.")
@click.option("--new-site", is_flag=True, help="The site is new: no gate belongs to it yet.")
@click.option("--dry-run", is_flag=True, help="Only say what it would do.")
@with_database
def import_(kind: str, file: Path, site: str, new_site: bool, dry_run: bool) -> None:
    """Take a table saved as CSV: all of it, or nothing while a line cannot be taken. Docs: docs/office-directory.md.

    Exit code 0: taken. 3: lines are refused. 1: it is no such table.

    \b
    menshen office directory import cards cards.csv --site garden-court --dry-run
    """
    import re

    from rich.console import Console
    from rich.progress import Progress

    from central.holders.importing import NotTaken, is_new, plan, sites, take

    if not re.fullmatch(r"[A-Za-z0-9._-]{1,32}", site):
        raise click.BadParameter(f"{site!r}: 1 to 32 letters, digits, '.', '_' and '-'", param_hint="--site")
    if not new_site and is_new(site):
        raise click.BadParameter(
            f"{site!r}: no gate belongs to such a site, and nothing is kept for it; there are: "
            f"{', '.join(sites()) or 'none'}. If it is a new one, say --new-site",
            param_hint="--site",
        )
    data = _bytes(file)
    try:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(f"{file.name}: reading", total=max(data.count(b"\n"), 1))
            found = plan(kind, site, data, lambda line: progress.update(task, completed=line))
            for told in found.refused:
                click.echo(f"{file}:{told.line}: {told.who}: {told.what}", err=True)
            if not found.refused and not dry_run:
                progress.update(task, description=f"{file.name}: writing", total=None)
                take(found)
    except NotTaken as error:
        raise click.ClickException(f"{file}: {error}") from None
    counted = f"{len(found.new)} to add, {len(found.changed)} to change, {found.unchanged} as before"
    if found.passed_over:
        click.echo(f"columns passed over: {', '.join(found.passed_over)}", err=True)
    if found.refused:
        click.echo(f"nothing taken: {found.refused_count} line(s) refused; {counted}", err=True)
        raise SystemExit(REFUSED)
    click.echo(f"{'would be taken' if dry_run else 'taken'}: {counted}")


def _bytes(file: Path) -> bytes:
    """What is in it, as far as one looks: more is refused."""
    from central.holders.importing import MAX_BYTES

    with file.open("rb") as opened:
        return opened.read(MAX_BYTES + 1)


@directory.command()
@click.argument("site")
@with_database
def rebuild(site: str) -> None:
    """Bring a site's directory to what is kept here: a repair. Where nothing differs nothing changes.

    \b
    menshen office directory rebuild garden-court
    """
    from central.holders.publishing import rebuild as do

    mark = do(site)
    click.echo(f"{site}: directory {mark.epoch}.{mark.version}")
