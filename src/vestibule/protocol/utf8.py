"""Tell whether a text was valid UTF-8. Python turns invalid bytes into lone surrogates (PEP 383)."""


def is_utf8(text: str) -> bool:
    """Return whether `text` has no lone surrogate, and so can be stored, sent and shown."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
