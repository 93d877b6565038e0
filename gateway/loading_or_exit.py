"""A file of configuration at the command line: loaded, or told what is wrong with it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from gateway.config import GateConfig

Config = TypeVar("Config")
CONFIG = click.option(
    "--config", "path", required=True, metavar="FILE", type=click.Path(path_type=Path), help="The gate's file (TOML)."
)


def loaded_or_exit(load: Callable[[Path], Config], path: Path) -> Config:
    """What `load` makes of the file; a wrong one (ConfigError) is told, and ends the command with exit code 2."""
    from gateway.config.problems import ConfigError

    try:
        return load(path)
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


def load_or_exit(path: Path) -> "GateConfig":
    """A gate's configuration, in the same way."""
    from gateway.config import load

    return loaded_or_exit(load, path)
