"""Run the real Caddy with the example in deploy/: the same file, with other ports and a test certificate."""

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.harness.nginx import NAME, Nginx, certificate_in
from tests.harness.servers import WAIT_SECONDS, NotToBeHad, free_port, listening, wait_until

EXAMPLE = Path(__file__).parents[2] / "deploy" / "caddy" / "Caddyfile"
_AROUND = """\
{{
    admin off
    auto_https off
    storage file_system {folder}
}}
"""


@contextmanager
def caddy(folder: Path, vestibule: int, service: int) -> Iterator[Nginx]:
    """Yield a Caddy in front of a Vestibule and a service on these ports. It is an `Nginx`, because both are asked in
    the same way. Raises `NotToBeHad` if Caddy is not installed.
    """
    program, port = binary(), free_port()
    certificate, key = certificate_in(folder)
    text = EXAMPLE.read_text()
    for example, here in {
        "127.0.0.1:8000": f"127.0.0.1:{vestibule}",
        "127.0.0.1:9000": f"127.0.0.1:{service}",
        f"{NAME} {{": f"https://localhost:{port}, https://{NAME}:{port} {{\n\ttls {certificate} {key}",
    }.items():
        assert example in text, f"the example no longer says {example}"
        text = text.replace(example, here)
    (folder / "Caddyfile").write_text(_AROUND.format(folder=folder) + text)
    with (folder / "caddy.log").open("w") as log:
        process = subprocess.Popen(
            [program, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")],
            stderr=log,
            env={"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "PATH": os.environ["PATH"]},
        )
    try:
        wait_until(lambda: listening(port) or process.poll() is not None, "Caddy")
        assert process.poll() is None, (folder / "caddy.log").read_text()
        yield Nginx(port, ssl.create_default_context(cafile=str(certificate)))
    finally:
        process.terminate()
        process.wait(WAIT_SECONDS)


def binary() -> str:
    """Return the path of Caddy; raises `NotToBeHad`."""
    found = shutil.which("caddy")
    if found is None:
        raise NotToBeHad("Caddy: no caddy here; Debian has it")
    return found
