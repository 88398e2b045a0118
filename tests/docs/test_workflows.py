"""What runs at the code host is what runs here: the same commands, every Python that is promised, no token to steal."""

import re
import subprocess
import tomllib
from typing import Any

import pytest
import yaml

from tests.docs.paths import ROOT

WORKFLOWS = {path.name: path for path in sorted((ROOT / ".github" / "workflows").iterdir())}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CI = (ROOT / ".ci" / "run").read_text()
VERSION_STEP = "The tag is the version"
HOST = re.compile(r"\b[\w-]+\.(?:io|com|org|net|dev|cloud)\b")


def workflow(name: str) -> dict[Any, Any]:
    """As YAML has it, where `on` is the word for true."""
    read: dict[Any, Any] = yaml.safe_load(WORKFLOWS[name].read_text())
    return read


def jobs(name: str) -> list[dict[str, Any]]:
    return list(workflow(name)["jobs"].values())


def test_every_python_of_the_classifiers_is_checked_and_no_other() -> None:
    [check] = jobs("check.yml")
    promised = re.findall(r"Python :: (3\.\d+)", " ".join(PROJECT["classifiers"]))
    assert check["strategy"]["matrix"]["python"] == promised
    assert PROJECT["requires-python"] == f">={promised[0]}"
    assert check["container"].startswith("python:${{ matrix.python }}-"), "Debian's, which has what .ci/run installs"


def test_what_is_checked_is_what_ci_runs() -> None:
    """One list of packages and one of commands: `.ci/run` has both, and the workflow adds none of its own."""
    [check] = jobs("check.yml")
    assert [step["run"] for step in check["steps"] if "run" in step] == [".ci/run"]
    assert re.findall(r"^make \w+$", CI, re.MULTILINE) == ["make check", "make test"]
    wanted = re.findall(r"wanted\+=\(([\w-]+)\)", CI)
    assert "${wanted[@]}" in CI.partition("apt-get -qq install")[2]
    assert {"chromium-headless-shell", "nginx", "pgbouncer", "caddy", "varnish"} == set(wanted)
    assert {"push", "pull_request", "workflow_call"} == set(workflow("check.yml")[True])


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_no_more_than_it_needs(name: str) -> None:
    text = WORKFLOWS[name].read_text()
    assert workflow(name)["permissions"] == {}
    assert workflow(name)["concurrency"]["group"]
    for job in jobs(name):
        assert set(job["permissions"].values()) <= {"read", "write"}
        assert "timeout-minutes" in job or job.get("uses", "").startswith("./")
        for step in job.get("steps", []):
            assert "${{" not in step.get("run", ""), "what somebody typed would be run: hand it over in env"
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step.get("uses", "a/b@" + "0" * 40))
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] is False
    assert HOST.findall(text) == [], "registries are named in the repository's settings"


def test_a_release_is_checked_built_and_published_without_a_token() -> None:
    release = workflow("release.yml")
    assert release[True] == {"push": {"tags": ["v*"]}}
    done = release["jobs"]
    assert done["check"]["uses"] == "./.github/workflows/check.yml"
    assert set(done["publish"]["needs"]) == {"check", "packages", "images"}
    assert done["publish"]["permissions"] == {"id-token": "write"}
    assert [name for name, job in done.items() if "id-token" in job["permissions"]] == ["publish"]
    assert {image["platform"] for image in done["images"]["strategy"]["matrix"]["include"]} == {"amd64", "arm64"}
    build = " ".join(step.get("run", "") for step in done["images"]["steps"])
    assert (ROOT / re.findall(r"--file (\S+)", build)[0]).is_file()


@pytest.mark.parametrize(("tag", "passes"), [(f"v{PROJECT['version']}", True), ("v999.0.0", False), ("v", False)])
def test_a_tag_that_is_not_the_version_stops_a_release(tag: str, passes: bool) -> None:
    [step] = [step for step in workflow("release.yml")["jobs"]["packages"]["steps"] if step.get("name") == VERSION_STEP]
    command = ["bash", "-e", "-c", step["run"]]
    done = subprocess.run(
        command, cwd=ROOT, env={"TAG": tag, "PATH": "/usr/bin:/bin"}, check=False, capture_output=True
    )
    assert (done.returncode == 0) is passes, done.stderr


def test_the_hooks_before_a_commit_are_the_commands_of_make_check() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\ncheck: ")[2].partition("\n\n")[0]
    commands = [line.replace("$(BIN)", ".venv/bin") for line in re.findall(r"^\t@(.+)$", recipe, re.MULTILINE)]
    [repo] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repo["repo"] == "local"
    assert [hook["entry"] for hook in repo["hooks"]] == commands
    assert len({hook["id"] for hook in repo["hooks"]}) == len(commands) > 5
    assert all((hook["language"], hook["pass_filenames"]) == ("system", False) for hook in repo["hooks"])
    assert all(str(path.relative_to(ROOT)) in recipe for path in WORKFLOWS.values())
