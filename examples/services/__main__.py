"""`python -m examples.services`: Vestibule at PORT (8000), and the three services at the ports after it."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path

FRAMEWORKS = ("django", "flask")
WSGI = ("wsgi", "--blocking-threads", "3")
SERVICES = (("fastapi_service", ("asgi",)), ("flask_service", WSGI), ("django_site", WSGI))
VESTIBULE = (sys.executable, "-m", "vestibule")
ROOT = Path(__file__).parents[2]
WAIT_SECONDS, STOP_SECONDS = 60, 10


def main() -> None:
    """Start all four, say where they are, and end them together."""
    require(*FRAMEWORKS)
    # A shell starts what it runs in the background deaf to SIGINT. SIGHUP is a terminal that is closed.
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    port = int(os.environ.get("PORT", "8000"))
    vestibule_at = f"http://localhost:{port}"
    with ExitStack() as stack:
        server = start(stack, *VESTIBULE, "serve", "--port", str(port))
        wait_for(f"{vestibule_at}/api/healthchecker", server)
        os.environ |= {"VESTIBULE_URL": vestibule_at, "SERVICE_KEY": service_key()}
        for number, (name, interface) in enumerate(SERVICES, start=1):
            options = ("--interface", *interface, "--port", str(port + number), "--log-level", "warning")
            target = f"examples.services.{name}:app"
            service = start(stack, sys.executable, "-m", "granian", *options, "--working-dir", str(ROOT), target)
            wait_for(f"http://localhost:{port + number}/", service)
            print(f"{name:16} http://localhost:{port + number}", flush=True)
        print("All are there. Ctrl-C ends them.", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("Ending.")


def require(*modules: str) -> None:
    """End with a line where what the services are written in is not installed."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        sys.exit(f"{' and '.join(missing)} cannot be imported by {sys.executable}; run: make examples")


def start(stack: ExitStack, *command: str) -> "subprocess.Popen[bytes]":
    """A process that ends with this one, in a session of its own: Ctrl-C signals every process of the terminal's group,
    and a WSGI worker of granian 2.8 that is signalled twice, by the terminal and then by granian, never ends.
    """
    process = subprocess.Popen(command, start_new_session=True)
    stack.callback(end, process)
    return process


def end(process: "subprocess.Popen[bytes]") -> None:
    """Let the process end; kill it and what it started after `STOP_SECONDS`, or at a second Ctrl-C."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
            print(f"Killed, because it did not end: {process.args}")
        process.wait()


def service_key() -> str:
    """A new key for the three, in place of the one of the last start."""
    subprocess.run([*VESTIBULE, "services", "revoke", "examples"], check=False, capture_output=True)
    made = subprocess.run([*VESTIBULE, "services", "create", "examples"], check=True, capture_output=True, text=True)
    return made.stdout.strip()


def wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    """Returns at the first answer, a refusal too; ends with a line where nobody is left to give one."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError as fault:
            if process.poll() is not None:
                sys.exit(f"What should answer at {address} has ended; the lines above say why.")
            if time.monotonic() > end:
                sys.exit(f"Nothing answers at {address} after {WAIT_SECONDS} seconds: {fault}")
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    main()
