"""`menshen post …`: run and check a guard post."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drivers.no_dumps import forbid_core_dumps
from gateway.errors import GatewayError
from gateway.loading_or_exit import loaded_or_exit
from gateway.logs import log_to_stderr
from sync.errors import SyncError
from sync.notify import Notifier

if TYPE_CHECKING:
    from gateway.post.config import PostConfig

EXAMPLE = Path(__file__).resolve().parents[2] / "config" / "post.example.toml"
CONFIG = click.option(
    "--config", "path", required=True, metavar="FILE", type=click.Path(path_type=Path), help="The post's file (TOML)."
)


def load_or_exit(path: Path) -> "PostConfig":
    """The configuration; a wrong one is told, and ends the command with exit code 2."""
    from gateway.post.config import load

    return loaded_or_exit(load, path)


@click.group()
def post() -> None:
    """Run and check a guard post: it follows the gates of a site without the office, sounds their alarms, and its button
    acknowledges them.

    \b
    menshen post example > post.toml             a file to begin with: every key, explained
    menshen post check --config post.toml        what is wrong in it, and where
    menshen post key --config post.toml          makes its key; what it prints goes into [post] keys of every gate
    menshen post run --config post.toml --watch  the post itself, until Ctrl-C
    menshen post shift --config post.toml Wang   who is on duty from now on

    All of it: docs/guard-post.md.
    """


@post.command()
@CONFIG
@click.option(
    "--watch", is_flag=True, help="Show the gates and their alarms in a table that is drawn anew as they change."
)
@click.option("--feed", is_flag=True, help="Print what happens to standard output, one JSON object a line.")
def run(path: Path, watch: bool, feed: bool) -> None:
    """Run the post until SIGTERM or Ctrl-C.

    Exit code 2: the file or the options are wrong (see `menshen post check`). 1: the post cannot start, and says why."""
    if watch and feed:
        raise click.UsageError("--watch and --feed both write to standard output: one of them")
    forbid_core_dumps()
    log_to_stderr("WARNING" if watch else "INFO")
    from gateway.feed import Feed
    from gateway.post.program import run_post, words_of_nothing
    from gateway.post.view import View

    config = load_or_exit(path)
    with ExitStack() as stack:
        draw = stack.enter_context(View(config)).draw if watch else None
        try:
            run_post(config, feed=Feed(words_of_nothing) if feed else None, notifier=Notifier(), draw=draw)
        except (GatewayError, SyncError, OSError) as error:
            raise click.ClickException(str(error)) from error


@post.command()
@CONFIG
def check(path: Path) -> None:
    """Say what is wrong in a post's file: all of it at once, each with its line and the nearest known key.

    Exit code 0: nothing. 2: something."""
    config = load_or_exit(path)
    click.echo(f"{path}: post {config.post.id!r} follows {len(config.gates)} gates: nothing wrong")


@post.command()
def example() -> None:
    """Print a file to begin with: every key with its meaning, unit, range and default."""
    click.echo(EXAMPLE.read_text("utf-8"), nl=False)


@post.command()
@CONFIG
def key(path: Path) -> None:
    """Print the post's public key, which every gate that it follows pins in [post] keys. Without a key one is made: a file in
    data_dir that only its owner may read.

    \b
    menshen post key --config post.toml
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from sync.keyfiles import public_hex, read_key_file, write_key_file

    config = load_or_exit(path)
    try:
        if not config.key_file.exists():
            config.post.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_key_file(config.key_file, Ed25519PrivateKey.generate())
        click.echo(public_hex(read_key_file(config.key_file)))
    except (SyncError, OSError) as error:
        raise click.ClickException(str(error)) from error


@post.command()
@CONFIG
@click.argument("name", default="")
def shift(path: Path, name: str) -> None:
    """NAME is on duty at this post from now on: alarms are acknowledged in that name. Without NAME: nobody, and the post's own id
    stands there. The post may go on running.

    \b
    menshen post shift --config post.toml Wang
    """
    from gateway.post.duty import begin_shift, guard_on_duty

    config = load_or_exit(path)
    try:
        begin_shift(config.guard_file, name)
    except GatewayError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"on duty: {guard_on_duty(config.guard_file) or 'nobody'}")
