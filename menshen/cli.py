"""The command line `menshen`. Each side is loaded only when it is asked for: a gate never has Django in memory, an
office never a driver."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import click

_COMMANDS = {
    "demo": ("menshen.demo", "demo", "Everything on this machine: broker, office and one simulated gate."),
    "devices": (
        "menshen.devices",
        "devices",
        "Devices: what is connected, what it is, what it says, what is supported.",
    ),
    "gate": ("gateway.commands", "gate", "Run and check a gate."),
    "office": ("central.commands", "office", "Run the office: pages, ingest, users and gates."),
    "pass": ("menshen.passes", "passes", "Passes: issue, show and verify them."),
    "post": ("gateway.post.commands", "post", "Run and check a guard post."),
    "trust": ("menshen.trust", "trust", "Trust lists: make, sign, import and show them."),
    "wire": ("menshen.wire", "wire", "Watch what passes between gates and office."),
}


class _Lazy(click.Group):
    """Loads a command's module when the command is used, not for the list of commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in _COMMANDS.items()])


def product_version() -> str:
    """The installed version, or "0" in a tree that is not installed."""
    try:
        return version("menshen")
    except PackageNotFoundError:
        return "0"


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(product_version(), prog_name="menshen")
def main() -> None:
    """Menshen runs a checkpoint that nobody has to stand at.

    \b
    To see it all on this machine, with no configuration:
        menshen demo
    To set up a gate:
        menshen devices list                     what is connected, and what to write for it
        menshen devices probe /dev/ttyUSB0       which model speaks there
        menshen gate example > gate.toml         every key with its meaning; change what differs
        menshen gate check --config gate.toml    says what is wrong, and where
        menshen trust import --config gate.toml site.trust    whose passes and certificates it believes
        menshen gate run --config gate.toml
    To set up a guard post (docs/guard-post.md):
        menshen post example > post.toml
        menshen post run --config post.toml --watch
    To set up an office:
        menshen office migrate
        menshen office user add NAME             prints a one-time password
        menshen office serve                     the pages
        menshen office ingest --broker HOST      takes the gates' records
    """
