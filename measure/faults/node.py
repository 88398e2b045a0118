"""Start, kill, stop and pause one `vestibule serve` of the stand."""

import asyncio
import os
import signal
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import psutil

from tests.harness.process import PROGRAM, Running, starting
from tests.harness.servers import free_port

_READY_SECONDS = 40


class Node:
    """A server on a port of its own, that can be started again and again."""

    def __init__(self, folder: Path, settings: dict[str, str], program: tuple[str, ...] = PROGRAM) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.settings = settings
        self.program = program
        self.log = ""
        self._stack = ExitStack()
        self._running: Running | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self, wait: bool = True, output: int | None = None) -> float:
        """Start the server, wait until it answers unless told not to, and return the seconds that took. Its output goes
        to the file descriptor `output`, or to a file. Raises `RuntimeError` if it does not answer.
        """
        begun = time.monotonic()
        self._running = self._stack.enter_context(
            starting(self.folder, port=self.port, program=self.program, output=output, **self.settings)
        )
        if wait:
            await self.ready()
        return time.monotonic() - begun

    async def ready(self) -> None:
        """Wait until the server answers. Raises `RuntimeError` with its output if it ends, or does not
        answer in time.
        """
        end = time.monotonic() + _READY_SECONDS
        async with httpx.AsyncClient(timeout=2) as client:
            while time.monotonic() < end:
                with suppress(httpx.TransportError):
                    if (await client.get(f"{self.base}/api/healthchecker")).status_code == 200:
                        return
                if self._running is not None and self._running.process.poll() is not None:
                    break
                await asyncio.sleep(0.02)
        raise RuntimeError(f"the server on port {self.port} does not answer: {self.output()[-2000:]}")

    def kill(self) -> None:
        """Send SIGKILL to the server and its worker."""
        self._end(signal.SIGKILL)

    async def stop(self) -> tuple[int, float]:
        """Send SIGTERM, wait for the end, and return the exit code and the seconds that took."""
        begun = time.monotonic()
        process = self.running.process
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, 40)
        self._end(signal.SIGKILL)
        return code, time.monotonic() - begun

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def family(self) -> list[psutil.Process]:
        """Return the server's processes: the parent and its workers."""
        return self._family(self.running)

    @staticmethod
    def _family(running: Running) -> list[psutil.Process]:
        try:
            parent = psutil.Process(running.process.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    @property
    def running(self) -> Running:
        assert self._running is not None, "it is not running"
        return self._running

    @property
    def alive(self) -> bool:
        return self._running is not None and self._running.process.poll() is None

    def output(self) -> str:
        """Return the server's output since the first start."""
        return self.log + (self._running.output if self._running is not None else "")

    def close(self) -> None:
        if self._running is not None:
            self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        running, self._running = self._running, None
        if running is not None:
            family = self._family(running)
            with suppress(ProcessLookupError):
                os.killpg(running.process.pid, number)
            running.process.wait(20)
            # A worker lets go of the port only at its own end, which may come later.
            psutil.wait_procs(family, 20)
            self.log += running.output
        self._stack.close()

    def _signal(self, number: int) -> None:
        for process in self.family():
            os.kill(process.pid, number)
