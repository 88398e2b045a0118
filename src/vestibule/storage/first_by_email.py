"""Remember on disk which row of an import was the first with each email: memory may be too small for all of them."""

import sqlite3


class FirstByEmailOnDisk:
    """`flows.import_accounts.FirstByEmail` in a temporary file, so that memory does not grow with the table."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("CREATE TABLE claims (email TEXT PRIMARY KEY, label TEXT NOT NULL) WITHOUT ROWID")
        self._file.execute("BEGIN")  # never committed: nothing has to outlive the process

    def row_for(self, email: str, label: str) -> str:
        """Return the label of the row that first claimed this email: `label` if none did before."""
        self._file.execute("INSERT OR IGNORE INTO claims VALUES (?, ?)", (email, label))
        row = self._file.execute("SELECT label FROM claims WHERE email = ?", (email,)).fetchone()
        return str(row[0])

    def close(self) -> None:
        """Delete the file."""
        self._file.close()
