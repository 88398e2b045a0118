"""I11: a file is read, put in order and imported with the memory of a few rows."""

import subprocess
import sys
from pathlib import Path

from tests.docs.paths import ROOT

FEW, MANY = 2_000, 40_000
PROGRAM = """
import asyncio, sys
from contextlib import closing
from pathlib import Path
from tests.unit.storage.exports.reading import GIVEN
from vestibule.storage.exports.export_file import ExportFile

async def rows(export):
    async for batch in export.batches():
        for row in batch:
            assert export.first_by_email.row_for(row.email, row.label) == row.label
            yield row

async def count(export):
    return len([None async for _ in rows(export)])

with closing(ExportFile(Path(sys.argv[1]), GIVEN)) as export:
    export.read(lambda done, size: None)
    print(asyncio.run(count(export)), Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


def memory_for(number: int, file: Path) -> int:
    """The most memory, in KiB, of a process that reads so many people: of SQLite too, which tracemalloc does not see,
    and not of the process that starts it, whose maximum `getrusage` hands down.
    """
    people = "".join(f"{each},{each}.{'a' * 100}@example.com,true,google\n" for each in range(number))
    file.write_text(f"id,email,verified,provider\n{people}")
    program = (sys.executable, "-c", PROGRAM, str(file))
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True)
    count, most = done.stdout.split()
    assert int(count) == number
    return int(most)


def test_i11_twenty_times_as_many_rows_take_no_more_memory(tmp_path: Path) -> None:
    grown = memory_for(MANY, tmp_path / "many.csv") - memory_for(FEW, tmp_path / "few.csv")
    assert grown < 10_000
