"""Describe where and when a run took place, so that its figures can be compared with those of another run."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from vestibule.model.clock import SystemClock


@dataclass(frozen=True)
class Machine:
    """What the figures depend on."""

    day: str
    processor: str
    cores: int
    python: str
    system: str

    @classmethod
    def this(cls) -> "Machine":
        """Return the machine that runs this process, with today's date."""
        return cls(
            day=SystemClock().now().date().isoformat(),
            processor=_processor(),
            cores=os.cpu_count() or 1,
            python=platform.python_version(),
            system=f"{platform.system()} {platform.machine()}",
        )

    def __str__(self) -> str:
        return f"{self.processor}, {self.cores} cores, {self.system}, Python {self.python}"


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text().splitlines():
            name, _, content = line.partition(":")
            if name.strip() == "model name":
                return content.strip()
    return platform.processor() or "unknown processor"
