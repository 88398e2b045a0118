"""How a command ends that cannot go on: with a line that says what to mend, and a status.

What nobody foresaw is a mistake of ours. It is told as a traceback without any value in it (`tracebacks.py`), because
a terminal's output is pasted into reports as it is.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from vestibule.cli import console
from vestibule.cli.mail import NoSuchLetter, NotAnswered
from vestibule.cli.users import NoNewAccount, NoSuchAccount
from vestibule.flows.rotate_keys import KeysStay
from vestibule.model.errors import StoreUnavailable
from vestibule.settings import WrongSettings
from vestibule.storage.sql.legacy import NoSuchTable, SourceUnavailable
from vestibule.storage.sql.move import NotEmpty
from vestibule.storage.sql.revision import SchemaMismatch
from vestibule.tracebacks import told

_WRONG_SETTINGS = 2
# Each says itself what is wrong.
_SENTENCES = (
    SchemaMismatch,
    NoSuchTable,
    SourceUnavailable,
    NotEmpty,
    NoSuchAccount,
    NoNewAccount,
    KeysStay,
    NoSuchLetter,
    NotAnswered,
)


@contextmanager
def explained() -> Iterator[None]:
    """End the process with a sentence for what an operator can mend, and with a traceback for the rest."""
    try:
        yield
    except WrongSettings as fault:
        console.fail(str(fault))
        sys.exit(_WRONG_SETTINGS)
    except _SENTENCES as fault:
        console.fail(str(fault))
        sys.exit(1)
    except StoreUnavailable as fault:
        console.fail(f"DATABASE_URL: the database cannot do this now: {fault}")
        sys.exit(1)
    except Exception as fault:
        sys.stderr.write(f"{told(fault)}\n")
        console.fail("this is a mistake in Vestibule; please report the lines above, in which there is nothing private")
        sys.exit(1)
