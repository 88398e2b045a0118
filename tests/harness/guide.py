"""Read the projects that docs/services.md shows: the files that a reader saves, and the command that runs them."""

import re
from dataclasses import dataclass
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "services.md"
PORT = "9000"
"""The port in every command of the guide."""
_BLOCK = re.compile(r"^```python\n(# (\S+\.py)\n.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Project:
    """The files below one heading, by path, and the command that runs them."""

    files: dict[str, str]
    command: str

    def save(self, folder: Path) -> None:
        """Write the files, as a reader does."""
        for path, text in self.files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text)

    def renamed(self, name: str) -> "Project":
        """Return the same project with another name of its module or package, so that several fit into one folder."""
        return Project(
            {path.replace(self._name, name): self._said(text, name) for path, text in self.files.items()}, ""
        )

    @property
    def _name(self) -> str:
        return next(iter(self.files)).partition("/")[0].removesuffix(".py")

    def _said(self, text: str, name: str) -> str:
        return re.sub(rf"\b(from |\"){self._name}\b", rf"\1{name}", text)


def section(title: str) -> str:
    """Return the text below a heading of the second level; fails if there is none."""
    found = GUIDE.read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert found, title
    return found


def projects() -> dict[str, Project]:
    """Return the project of each framework, by the heading that it stands below."""
    _, *parts = section("A file for each framework").split("\n### ")
    return {part.partition("\n")[0]: _project(part) for part in parts}


def step_up_project() -> Project:
    """Return the project that asks for a second factor and a recent sign-in."""
    return _project(section("Ask for a second factor or a recent sign-in"))


def _project(part: str) -> Project:
    [command] = _COMMAND.findall(part)
    return Project({path: text for text, path in _BLOCK.findall(part)}, command)
