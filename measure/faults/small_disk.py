"""Mount a small disk for PostgreSQL, and fill it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from measure.postgres import Postgres


@contextmanager
def small_disk(postgres: Postgres) -> Iterator[Path]:
    """Yield the folder of a file system of 24 MB in memory, which PostgreSQL owns. Needs root."""
    with TemporaryDirectory(prefix="vestibule-faults-disk-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=0755", "tmpfs", folder], check=True)
        try:
            postgres.own(Path(folder))
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def fill(path: Path) -> None:
    """Write zeros to a file until the disk is full."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
