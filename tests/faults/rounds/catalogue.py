"""All kinds of faults there are: those of every module beside this one that has `KINDS`."""

from importlib import import_module
from pkgutil import iter_modules

from tests.faults import rounds
from tests.faults.rounds.kinds import Kind


def every_kind() -> list[Kind]:
    """In the order of their modules' names."""
    names = [module.name for module in iter_modules(rounds.__path__) if module.name != "__main__"]
    modules = [import_module(f"{rounds.__name__}.{name}") for name in names]
    return [kind for module in modules for kind in getattr(module, "KINDS", ())]
