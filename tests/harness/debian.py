"""Play a Debian server below a folder: type what a guide types, and replace what only a real server has.

Replaced are: paths (all are below the folder), ports, the system user (the user of the tests), packages, the pinned
dependencies (those of this environment), systemd (the units are read, and their commands run), DNS, and the
certificate.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sysconfig
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs.paths import DOCS, ROOT
from tests.harness.servers import free_port, listening, wait_until

NAME = "auth.example.com"
CLONE = "/usr/local/src/vestibule"
_PATHS = re.compile(r"(?<![\w./-])/(?=(?:opt|var/lib|var/backups|etc/systemd|usr/local)/|etc/vestibule\.env)")
_COPIED = ("src", "requirements", "deploy", "pyproject.toml", "README.md", "LICENSE")
_SECONDS, _STOP_SECONDS = 240, 60


@dataclass
class Machine:
    """A server. `at` is the folder that the last `cd` went to; `left_out` has the commands that were not run."""

    folder: Path
    port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    at: Path = Path()
    left_out: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        clone = self.path(CLONE)
        for name in _COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, clone / name)
        for path in (clone / "deploy" / "systemd").iterdir():
            path.write_text(self.here(path.read_text()))
        for made in ("/etc/systemd/system", "/usr/local/bin", "/usr/local/lib", "/opt", "/var/lib", "/var/backups"):
            self.path(made).mkdir(parents=True, exist_ok=True)

    def path(self, of_the_guide: str) -> Path:
        """Return the path here of a path in the guide."""
        return self.folder / of_the_guide.lstrip("/")

    def here(self, text: str) -> str:
        """Return the text with the paths, the user and the ports here."""
        text = _PATHS.sub(f"{self.folder}/", text)
        text = re.sub(r"-([og]) vestibule\b", lambda found: f"-{found[1]} {os.getuid()}", text)
        text = text.replace("runuser -u vestibule -- ", "").replace("localhost:8000", f"localhost:{self.port}")
        to = f"--resolve {NAME}:{self.tls_port}:127.0.0.1 http://{NAME}:{self.tls_port}"
        return re.sub(rf"(?<=curl )(.*)https://{NAME}", rf"\1{to}", text)

    def follow(self, page: str, section: str) -> str:
        """Type every command of a section of docs/guides, one after the other; return what they print."""
        text = (DOCS / "guides" / page).read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
        blocks = re.findall(r"^( *)```sh\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
        assert blocks, f"{page} has nothing to type in {section!r}"
        return "".join(self.type(line.strip()) for _, block in blocks for line in block.splitlines())

    def type(self, line: str) -> str:
        """Type one command, and return all that it prints. Fails unless its exit code is 0, or 1 for the doctor."""
        words = line.split()
        if words[0] in {"apt-get", "useradd", "git"}:
            self.left_out.append(line)
            return ""
        if words[0] == "systemctl":
            return self.systemctl(*words[1:])
        if words[0] == "cd":
            self.at = self.path(words[1])
            return ""
        if words[1:3] == ["install", "--require-hashes"]:
            assert (self.at / words[-1]).is_file()
            return self._installed_here()
        fine = {0, 1} if words == ["vestibule", "doctor"] else {0}
        return self._run(["bash", "-c", self.here(line)], line, fine)

    def systemctl(self, verb: str, *words: str) -> str:
        """Do what systemd would do: start and stop the commands of the units, with the settings that they name. Return
        what a unit of the type `oneshot` prints.
        """
        name = words[-1].removesuffix(".service") if words else ""
        if verb == "daemon-reload":
            return ""
        if name == "caddy":
            return self._caddy()
        if name.endswith(".timer"):
            assert verb == "enable"
            assert self._unit(name.removesuffix(".timer"))["ExecStart"]
            return ""
        if verb in {"stop", "restart"}:
            self._stop(name)
        if verb == "stop":
            return ""
        unit = self._unit(name)
        command, around = shlex.split(unit["ExecStart"]), self._environment(unit)
        if unit["Type"] == "oneshot":
            return self._run(command, unit["ExecStart"], {0}, around)
        self._start(name, command, around)
        return ""

    def stop(self) -> None:
        """Stop everything that was started."""
        for name in list(self.running):
            self._stop(name)

    def _unit(self, name: str) -> dict[str, str]:
        text = self.path(f"/etc/systemd/system/{name}.service").read_text()
        return dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))

    def _environment(self, unit: dict[str, str]) -> dict[str, str]:
        lines = [*unit["Environment"].split(), *Path(unit["EnvironmentFile"]).read_text().splitlines()]
        return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    def _around(self) -> dict[str, str]:
        path = f"{self.path('/usr/local/bin')}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.folder), "PORT": str(self.port), "COLUMNS": "200"}

    def _run(self, command: list[str], shown: str, fine: set[int], more: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            command,
            cwd=self.at if self.at.is_absolute() else self.folder,
            env=self._around() | (more or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        assert done.returncode in fine, f"{shown}\n{done.stdout}"
        return done.stdout

    def _start(self, name: str, command: list[str], more: dict[str, str]) -> None:
        if name in self.running:
            return
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command,
                cwd=self.path("/var/lib/vestibule"),
                env=self._around() | more,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _stop(self, name: str) -> None:
        process = self.running.pop(name, None)
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def _caddy(self) -> str:
        """Start Caddy with the file of the guide, but with plain HTTP: only a public name gets a certificate."""
        guide = (DOCS / "guides" / "debian.md").read_text()
        [text] = re.findall(r"^```caddyfile\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
        file = self.folder / "Caddyfile"
        text = text.replace(f"{NAME} {{", f"http://{NAME}:{self.tls_port} {{").replace(":8000", f":{self.port}")
        file.write_text("{\n\tadmin off\n\tauto_https off\n}\n" + text)
        self._start("caddy", ["caddy", "run", "--adapter", "caddyfile", "--config", str(file)], {})
        wait_until(lambda: listening(self.tls_port), "caddy")
        return ""

    def _installed_here(self) -> str:
        home = str(self.path("/opt/vestibule"))
        there = Path(sysconfig.get_paths(vars={"base": home, "platbase": home})["purelib"])
        # A line in a .pth file adds a folder, but does not read the .pth files there: no editable install comes along.
        (there / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
        return ""
