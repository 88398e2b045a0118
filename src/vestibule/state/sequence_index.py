"""The revoked subjects, which are ids of sessions and accounts, in the order of their sequence numbers: the newest are
found without a look at all others.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

_BLOCK_BITS = 6
"""The number of low bits that the numbers of one block differ in: a block lists the subjects of 64 consecutive numbers.
A subject takes 9 bytes in its block, and a read looks at no more than 63 subjects in vain.
"""
_BLOCKS_AT_ONCE = 8
LOOKED_AT_ONCE = _BLOCKS_AT_ONCE << _BLOCK_BITS
"""Subjects looked at without a pause. Looking at them and sending them takes a millisecond of CPU."""


class SequenceIndex:
    """Sessions and accounts, each with the number of its newest revocation."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._blocks: dict[int, list[str]] = {}
        self._highest_block = 0

    def __len__(self) -> int:
        return len(self._numbers)

    def put(self, subject: str, number: int) -> None:
        """Note that a subject was revoked under this number. The highest number of a subject counts."""
        if number <= self._numbers.get(subject, 0):
            return
        self.discard(subject)
        block = number >> _BLOCK_BITS
        self._numbers[subject] = number
        self._blocks.setdefault(block, []).append(subject)
        self._highest_block = max(self._highest_block, block)

    def discard(self, subject: str) -> None:
        """Drop a subject, if it is here."""
        number = self._numbers.pop(subject, None)
        if number is None:
            return
        block = self._blocks[number >> _BLOCK_BITS]
        block.remove(subject)
        if not block:
            del self._blocks[number >> _BLOCK_BITS]

    def at(self, number: int) -> str | None:
        """Return the subject whose newest revocation has this number, if there is one."""
        block = self._blocks.get(number >> _BLOCK_BITS, ())
        return next((subject for subject in block if self._numbers[subject] == number), None)

    def after(self, number: int) -> Iterator[list[str]]:
        """Yield the subjects whose number is above `number`, in lists, each from at most `LOOKED_AT_ONCE` subjects.

        The caller may pause between two lists. A subject that gets a new number in a pause moves to the end, and is
        yielded there. Otherwise a service could miss it, although its cursor is past the older number.
        """
        begin = number >> _BLOCK_BITS
        while blocks := self._blocks_from(begin):
            for first in range(0, len(blocks), _BLOCKS_AT_ONCE):
                subjects = self._subjects_of(blocks[first : first + _BLOCKS_AT_ONCE])
                yield [subject for subject in subjects if self._numbers[subject] > number]
            begin = blocks[-1] + 1

    def _subjects_of(self, blocks: Iterable[int]) -> Iterator[str]:
        return chain.from_iterable(self._blocks.get(block, ()) for block in blocks)

    def _blocks_from(self, begin: int) -> Sequence[int]:
        """Return block numbers from `begin` on, in order. Count up if that is quicker than sorting all."""
        counted = range(begin, self._highest_block + 1)
        if len(counted) <= len(self._blocks):
            return counted
        return sorted(block for block in self._blocks if block >= begin)
