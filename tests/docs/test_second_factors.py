"""docs/guides/second-factors.md: its commands, typed in its order, say what stands below them."""

import re
import shlex
from pathlib import Path

import httpx
import pyotp

from tests.docs.paths import DOCS
from tests.harness.process import Running, link_in, register, run, serving, sign_in, text_of
from tests.harness.servers import wait_until

GUIDE = (DOCS / "guides" / "second-factors.md").read_text()
BLOCKS = re.findall(r"^ *```console\n *\$ (.*?)\n(.*?)^ *```$", GUIDE, re.MULTILINE | re.DOTALL)
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")
OWNER = "ada@example.com"


def mailed_link(server: Running) -> str:
    return link_in("".join(text_of(letter) for letter in server.letters if letter["To"] == OWNER))


def protect(server: Running, browser: httpx.Client) -> None:
    """Verify the owner's email, and set up an authenticator app, as its owner does."""
    wait_until(lambda: bool(mailed_link(server)), "the letter with the link")
    browser.get(f"/api/auth/verifyemail/{mailed_link(server).rpartition('/')[2]}").raise_for_status()
    sign_in(browser, OWNER)
    begun = browser.post("/api/users/me/factors/totp").raise_for_status()
    app = pyotp.TOTP(begun.json()["data"]["key"].replace(" ", ""))
    browser.post("/api/users/me/factors/totp/confirm", json={"code": app.now()}).raise_for_status()


def typed(folder: Path, line: str, port: int) -> str:
    """What a command says, with every row of spaces as one and every time as the same."""
    words = shlex.split(line)
    at = words.index("vestibule")
    settings = dict(word.split("=", 1) for word in words[:at])
    done = run(folder, *words[at + 1 :], COLUMNS="300", PORT=str(port), **settings)
    return comparable(done.stdout + done.stderr)


def comparable(text: str) -> str:
    return TIME.sub("(time)", " ".join(text.split()))


def test_the_commands_of_the_guide_say_what_stands_below_them(tmp_path: Path) -> None:
    assert len(BLOCKS) >= 5
    with serving(tmp_path) as server, server.browser() as ada, server.browser() as bob:
        register(ada, OWNER)
        register(bob, "bob@example.com")
        protect(server, ada)
        for line, shown in BLOCKS:
            said = typed(tmp_path, line, server.port)
            assert all(comparable(each) in said for each in shown.splitlines()), (line, said)
