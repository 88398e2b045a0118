"""The browser: Debian's Chromium, found and started so that it talks to nobody but to us."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

from tests.harness.servers import WAIT_SECONDS, NotToBeHad

# The first is the same engine without tabs and an address bar, which nobody sees here and which take half of the CPU.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PLAIN_NAME = "auth.vestibule.test"
"""A name of this machine that browsers do not trust without TLS, as they trust localhost."""
# Of each context's address bar, pages of its own, which take more CPU than the page under test.
_LIST_BELOW_THE_ADDRESS = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup")
# Chromium heeds the last list alone, so this repeats Playwright's.
_PLAYWRIGHTS = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "TcpPortRandomizationWin",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    "msForceBrowserSignIn",
    "msEdgeUpdateLaunchServicesPreferredVersion",
)
QUIET = (
    f"--disable-features={','.join(_PLAYWRIGHTS + _LIST_BELOW_THE_ADDRESS)}",
    f"--host-resolver-rules=MAP {PLAIN_NAME} 127.0.0.1",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
WAIT_MILLISECONDS = WAIT_SECONDS * 1000
"""How long a page may need on a busy machine; what does not come fails a test no sooner."""
_NONE = "Chromium: not found; apt-get install chromium-headless-shell, or name one in VESTIBULE_TEST_CHROMIUM"


def program() -> str:
    """Where Chromium is; raises `NotToBeHad`."""
    found = os.environ.get("VESTIBULE_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        raise NotToBeHad(_NONE)
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser; raises `NotToBeHad`."""
    path = program()
    expect.set_options(timeout=WAIT_MILLISECONDS)  # in place of five seconds
    home = tempfile.TemporaryDirectory(prefix="vestibule-home-", ignore_cleanup_errors=True)
    with home as folder, sync_playwright() as playwright:
        environment: dict[str, str | float | bool] = {"HOME": folder, "PATH": os.environ["PATH"], "TMPDIR": folder}
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET), env=environment)
        yield browser
        browser.close()
