"""`menshen devices models`: the supported models, with what each gives and how it is connected."""

import json
from collections.abc import Iterator
from dataclasses import asdict

import click

from drivers.catalogue import MODELS
from menshen.devices.tables import print_table


def show(wanted: str, *, as_json: bool) -> None:
    """Print those whose name or kind has `wanted` in it. Raises click.ClickException when none has."""
    names = list(_wanted(wanted))
    if not names:
        raise click.ClickException(f"no model and no kind has {wanted!r} in its name: see `menshen devices models`")
    if as_json:
        click.echo(json.dumps([_whole(name) for name in names], ensure_ascii=False, indent=1))
        return
    rows = [(name, MODELS[name].kind, MODELS[name].unit, _summary(name)) for name in names]
    print_table(("model", "kind", "unit", "wiring"), rows)


def _wanted(wanted: str) -> Iterator[str]:
    for name, model in MODELS.items():
        if not name.startswith("simulated-") and wanted.lower() in f"{name} {model.kind}":
            yield name


def _summary(name: str) -> str:
    wiring = MODELS[name].wiring
    return wiring.summary if wiring is not None else ""


def _whole(name: str) -> dict[str, object]:
    model = MODELS[name]
    wiring = {} if model.wiring is None else asdict(model.wiring)
    return {"model": name, "kind": model.kind, "what": model.what, "unit": model.unit, "source": model.source} | {
        "wiring": wiring
    }
