"""Measure the limits: what the unavoidable part of each operation costs alone."""

import asyncio
import base64
import json
from collections.abc import Callable
from time import perf_counter, process_time

import asyncpg
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from measure.load import Measured
from measure.speed.library import LIBRARIES
from vestibule.crypto import jwk, jws
from vestibule.crypto.hash_forms import Cost
from vestibule.crypto.passwords import Argon2id
from vestibule.process.niced_threads import NicedThreads

HASHES_AT_ONCE = 2
_PASSWORD = b"correct horse"
_CLAIMS = {
    "iss": "vestibule",
    "aud": "vestibule",
    "sub": "8f14e45f-ceea-467f-a3a0-6c2d5e1f4b7a",
    "sid": "c9f0f895-fb98-4b91-9d3c-0a1b2c3d4e5f",
    "jti": "45c48cce-2e2d-4bb1-8a1b-7d6e5f4a3b2c",
    "iat": 1_800_000_000,
    "exp": 1_800_000_900,
    "role": "user",
}


class Limits:
    """Measures each limit for `seconds`, in this process, which does nothing else meanwhile."""

    def __init__(self) -> None:
        self._keys = {algorithm: jwk.generate(algorithm=algorithm) for algorithm in jwk.ALGORITHMS}

    async def hashes(self, library: str, seconds: float) -> Measured:
        """Check passwords with a library, on two threads of the same priority as the server's."""
        cost = Argon2id()
        hasher = LIBRARIES[library](Cost(cost.memory_kib, cost.iterations, cost.lanes))
        stored = hasher.hash(_PASSWORD)
        threads = NicedThreads(HASHES_AT_ONCE, waiting=0)
        done = Measured()

        async def lane(until: float) -> None:
            while perf_counter() < until:
                await threads.run(hasher.verify, stored, _PASSWORD)
                done.count += 1

        begun, cpu = perf_counter(), process_time()
        await asyncio.gather(*(lane(begun + seconds) for _ in range(HASHES_AT_ONCE)))
        done.seconds, done.cpu_seconds = perf_counter() - begun, process_time() - cpu
        threads.close()
        return done

    async def signatures(self, algorithm: str, seconds: float) -> Measured:
        """Sign tokens, one after the other."""
        return _repeated(lambda: self._sign(algorithm), seconds)

    async def checks(self, algorithm: str, seconds: float) -> Measured:
        """Verify tokens, one after the other."""
        token, key = self._sign(algorithm), self._keys[algorithm]
        checking = {key.kid: key.public}
        return _repeated(lambda: jws.verify(token, checking, "at+jwt"), seconds)

    def passkey_signatures(self, seconds: float) -> Measured:
        """Verify signatures of a passkey (ES256), one after the other."""
        key, kind = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(SHA256())
        public, signature = key.public_key(), key.sign(_PASSWORD, kind)
        return _repeated(lambda: public.verify(signature, _PASSWORD, kind), seconds)

    def _sign(self, algorithm: str) -> str:
        return jws.sign(_CLAIMS, self._keys[algorithm], "at+jwt")


def algorithm_of(token: str) -> str:
    """Return the `alg` of a signed JWT."""
    header = token.partition(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(header + "=="))["alg"])


async def selects(database: str, seconds: float) -> Measured:
    """Fetch an account by its key with the driver alone, again and again. The CPU is this process's, not
    PostgreSQL's.
    """
    connection = await asyncpg.connect(database)
    try:
        account = await connection.fetchval("SELECT id FROM accounts LIMIT 1")
        latencies = []
        begun, cpu = perf_counter(), process_time()
        ended = begun
        while ended < begun + seconds:
            asked = ended
            await connection.fetchrow("SELECT * FROM accounts WHERE id = $1", account)
            ended = perf_counter()
            latencies.append(ended - asked)
        return Measured(len(latencies), ended - begun, process_time() - cpu, latencies)
    finally:
        await connection.close()


def _repeated(call: Callable[[], object], seconds: float) -> Measured:
    done = Measured()
    begun, cpu = perf_counter(), process_time()
    while done.seconds < seconds:
        call()
        done.count += 1
        done.seconds = perf_counter() - begun
    done.cpu_seconds = process_time() - cpu
    return done
