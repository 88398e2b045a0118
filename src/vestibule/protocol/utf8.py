"""Whether a text came as UTF-8: Python keeps bytes that are not as halves of signs (PEP 383)."""


def is_utf8(text: str) -> bool:
    """Return whether `text` has no half of a surrogate pair, and so can be stored, sent and shown."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
