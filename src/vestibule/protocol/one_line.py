"""What others said, as one line of a terminal or of a log may repeat it."""


def one_line(text: str) -> str:
    """The text as one line that commands no terminal: white space is a space, and what nobody sees is a sign that
    everybody sees. C0, C1, marks of direction (CVE-2021-42574) and halves of surrogate pairs are such.
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else " " if sign.isspace() else "\ufffd" for sign in text)
