"""Say in one sentence which package the kit needs and does not find, before any other file of the kit is loaded:
`__init__.py` imports this one first.
"""

from importlib import import_module

for _name in ("httpx", "joserfc"):
    try:
        import_module(_name)
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            f"vestibule.client needs httpx and joserfc, and {missing.name} is not installed; "
            "install both by, in a clone of Vestibule: pip install '.[client]'",
            name=missing.name,
        ) from None
