"""A Redis primary with a replica, and three Sentinels who watch it: all of them the real program."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from tests.harness.redis_server import RedisServer
from tests.harness.servers import free_port, listening, redis_binary, wait_until

_NAME = "vestibule"
# A primary that is only slow, on a busy machine, is not replaced. One that was stopped is.
_PATIENT_MILLISECONDS, _PROMPT_MILLISECONDS = 60_000, 500
_CONFIGURATION = """\
port {port}
bind 127.0.0.1
dir {folder}
sentinel monitor {name} 127.0.0.1 {primary} 2
sentinel down-after-milliseconds {name} {down}
sentinel failover-timeout {name} 3000
"""


@dataclass(frozen=True)
class Watched:
    """The pair, and where the Sentinels are."""

    primary: RedisServer
    replica: RedisServer
    sentinels: list[int]

    @property
    def address(self) -> str:
        """What `REDIS_URL` says of it."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        return f"redis+sentinel://{hosts}/{_NAME}/0"

    def lose_the_primary(self) -> None:
        """Kill the primary, and let the Sentinels notice soon."""
        self.primary.stop(9)
        for port in self.sentinels:
            with Redis(port=port, decode_responses=True) as client:
                client.sentinel_set(_NAME, "down-after-milliseconds", _PROMPT_MILLISECONDS)

    def until_the_replica_leads(self) -> None:
        wait_until(lambda: all(self._leader(port) == self.replica.port for port in self.sentinels), "the failover")
        wait_until(lambda: self.replica.client().info("replication")["role"] == "master", "the new primary")

    def know_each_other(self) -> bool:
        """Whether each Sentinel has found the two others and the replica, so that they can decide."""
        return all(self._knows_all(port) for port in self.sentinels)

    @staticmethod
    def _knows_all(port: int) -> bool:
        with Redis(port=port, decode_responses=True) as client:
            found = client.sentinel_master(_NAME)
        return (int(found["num-other-sentinels"]), int(found["num-slaves"])) == (2, 1)

    @staticmethod
    def _leader(port: int) -> int:
        with Redis(port=port, decode_responses=True) as client:
            return int(client.sentinel_get_master_addr_by_name(_NAME)[1])


@contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    """All five running, and agreed on who leads."""
    with ExitStack() as stack:
        primary, replica = RedisServer(), RedisServer()
        for server in (primary, replica):
            stack.callback(server.remove)
        primary.start()
        replica.start("--replicaof", "127.0.0.1", str(primary.port))
        wait_until(lambda: replica.client().info("replication")["master_link_status"] == "up", "the replica")
        pair = Watched(primary, replica, [stack.enter_context(_sentinel(folder, primary.port)) for _ in range(3)])
        wait_until(pair.know_each_other, "the Sentinels")
        yield pair


@contextmanager
def _sentinel(folder: Path, primary: int) -> Iterator[int]:
    port = free_port()
    own = folder / f"sentinel-{port}"
    own.mkdir()
    settings = _CONFIGURATION.format(port=port, folder=own, name=_NAME, primary=primary, down=_PATIENT_MILLISECONDS)
    (own / "sentinel.conf").write_text(settings)
    command = [redis_binary(), str(own / "sentinel.conf"), "--sentinel"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: listening(port), "a Sentinel")
        yield port
    finally:
        process.kill()
        process.wait()
