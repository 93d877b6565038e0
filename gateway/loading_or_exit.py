"""A file of configuration at the command line: loaded, or told what is wrong with it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

Config = TypeVar("Config")


def loaded_or_exit(load: Callable[[Path], Config], path: Path) -> Config:
    """What `load` makes of the file; a wrong one (ConfigError) is told, and ends the command with exit code 2."""
    from gateway.config.problems import ConfigError

    try:
        return load(path)
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
