"""Detect RSA keys from a broken library, whose private half can be computed (ROCA, CVE-2017-15361).

Infineon's RSALib, in smart cards, TPMs and tokens of 2007 to 2017, made every prime as k * M + (65537 ** a mod M), with
M the product of the first primes. So the modulus, modulo each of those primes, is a power of 65537 (Nemec et al., "The
Return of Coppersmith's Attack", CCS 2017, section 2.2). About one good key in 240 million has that mark too.
"""

_GENERATOR = 65537
# The factors of M for the shortest keys; longer keys have these too.
_PRIMES = (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107,
    109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167)  # fmt: skip
_POWERS = {prime: frozenset(pow(_GENERATOR, power, prime) for power in range(prime - 1)) for prime in _PRIMES}


def is_roca(modulus: int) -> bool:
    """Return whether an RSA modulus has the mark of Infineon's library."""
    return all(modulus % prime in powers for prime, powers in _POWERS.items())
