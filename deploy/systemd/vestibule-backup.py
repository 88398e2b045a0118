"""Back up Vestibule's database into a folder: a copy of the SQLite file, or what pg_dump makes of PostgreSQL.

    vestibule-backup.py FOLDER [--keep 14]

Reads DATABASE_URL and VESTIBULE_DATA as the server does. Needs Python, and for PostgreSQL the pg_dump of its version or
a later one. A backup gets its name once it is whole and was read back; then the oldest beyond `--keep` are deleted. Who
has a backup and VESTIBULE_SECRET_KEY (or secret.key) can sign in as anybody: keep the two in different places.
"""

import argparse
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

FROM_QUERY = {
    "host": "PGHOST",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}


def main() -> None:
    """Make one backup, and print its path."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keep", type=int, default=14, help="how many backups to keep")
    asked = parser.parse_args()
    if asked.keep < 1:
        parser.error("--keep: at least 1")
    os.umask(0o077)
    url = os.environ.get("DATABASE_URL", "")
    of_postgresql = url.startswith(("postgresql://", "postgres://"))
    suffix, write = (".dump", lambda to: dump(url, to)) if of_postgresql else (".sqlite3", lambda to: copy(url, to))
    try:
        made = whole(asked.folder, suffix, write)
    except (OSError, sqlite3.Error, subprocess.CalledProcessError) as fault:
        sys.exit(f"vestibule-backup: {fault}; no backup was made, and none deleted")
    delete_oldest(asked.folder, asked.keep)
    print(made)


def whole(folder: Path, suffix: str, write: Callable[[Path], None]) -> Path:
    """Have a backup written under another name, and give it its own at the end; return its path."""
    partial = folder / "partial"
    partial.unlink(missing_ok=True)
    write(partial)
    made = folder / f"vestibule-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}{suffix}"
    return partial.rename(made)


def copy(url: str, to: Path) -> None:
    """Copy the SQLite file as of one moment, also while it is in use."""
    data = Path(os.environ.get("VESTIBULE_DATA") or "vestibule-data")
    file = Path(url.partition("///")[2].partition("?")[0]) if url else data / "vestibule.sqlite3"
    address = f"file:{quote(str(file))}?mode=rw"  # else a wrong path would make an empty file, and a backup of that
    with closing(sqlite3.connect(address, uri=True)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
        [(found,)] = target.execute("PRAGMA integrity_check").fetchall()
    if found != "ok":
        raise sqlite3.DatabaseError(f"the copy is damaged, and so is {file}: {found}")


def dump(url: str, to: Path) -> None:
    """Have pg_dump write the database, and pg_restore read it back. No password in arguments: all users see those."""
    schema = parse_qs(urlsplit(url).query).get("schema", [])
    command = ["pg_dump", "--format=custom", "--no-password", f"--file={to}", *(f"--schema={name}" for name in schema)]
    subprocess.run(command, env=os.environ | connection(url), check=True)
    subprocess.run(["pg_restore", "--list", to], check=True, stdout=subprocess.DEVNULL)


def connection(url: str) -> dict[str, str]:
    """Return the variables by which libpq connects as the server does."""
    parts = urlsplit(url)
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    found = {
        "PGHOST": unquote(parts.hostname or ""),
        "PGPORT": str(parts.port or ""),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.lstrip("/")),
        **{variable: asked[name] for name, variable in FROM_QUERY.items() if name in asked},
    }
    return {name: value for name, value in found.items() if value}


def delete_oldest(folder: Path, keep: int) -> None:
    """Delete all backups but the newest."""
    made = sorted([*folder.glob("vestibule-*Z.sqlite3"), *folder.glob("vestibule-*Z.dump")], key=lambda path: path.stem)
    for path in made[:-keep]:
        path.unlink()


if __name__ == "__main__":
    main()
