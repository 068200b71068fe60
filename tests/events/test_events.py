import importlib
import pkgutil

import msgspec

from pump_party import events


def test_every_event_has_a_kind_of_its_own():
    modules = [
        importlib.import_module(f"{events.__name__}.{found.name}") for found in pkgutil.iter_modules(events.__path__)
    ]
    kinds = [
        value.KIND
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, msgspec.Struct)
    ]
    assert len(kinds) == len(set(kinds)) >= len(modules)
