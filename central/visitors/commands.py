"""`menshen office visitors …`: the key that passes are signed with, signs, and what is deleted."""

from pathlib import Path

import click

from central.setting_up import with_database, with_django


@click.group()
def visitors() -> None:
    """Visitors who register by phone: docs/visitors.md. The pages are under /visitors/.

    \b
    menshen office visitors key
    menshen office visitors erase
    """


@visitors.command("key")
@click.option(
    "--from",
    "taken",
    metavar="PEM",
    type=click.Path(path_type=Path),
    help="Take this one, as `menshen pass keygen` makes it.",
)
@with_django
def key(taken: Path | None) -> None:
    """Give this office a key to sign visitors' passes with, and print its public half; where there is one, print that.

    Gates believe its passes once the public half is in their trust list: `menshen trust make … --pass-key HEX`.

    \b
    menshen office visitors key
    menshen office visitors key --from passes.pem
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from central.home import prepare_office_dir
    from central.visitors.issuing import has_key, key_path, pass_key
    from sync.keyfiles import KeyFileError, public_hex, read_key_file, write_key_file

    prepare_office_dir()
    try:
        if taken is not None or not has_key():
            write_key_file(key_path(), Ed25519PrivateKey.generate() if taken is None else read_key_file(taken))
        click.echo(public_hex(pass_key()))
    except KeyFileError as error:
        raise click.ClickException(str(error)) from None


@visitors.command("erase")
@with_database
def erase() -> None:
    """Delete the data of visitors whose time is over, as the site's policy has it. `menshen office ingest` does so every minute.

    \b
    menshen office visitors erase
    """
    from django.utils.timezone import now

    from central.visitors.erasing import AT_ONCE, tidy

    deleted = done = tidy(now())
    while done >= AT_ONCE:
        done = tidy(now())
        deleted += done
    click.echo(f"{deleted} registration(s) deleted")
