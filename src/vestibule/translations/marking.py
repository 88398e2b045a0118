"""Mark a sentence in Python code for translation: `make translations` collects it, and it is translated when shown."""


def _(english: str) -> str:
    """Return the sentence itself. `make translations` collects the sentences by this name, as with `gettext_noop`."""
    return english
