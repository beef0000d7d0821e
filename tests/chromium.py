"""Finds a Chromium for the browser tests; `python -m tests.chromium` also installs one, or says why it cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def installed() -> str | None:
    """Path of the Chromium on PATH, else of Playwright's own, else None."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found:
        return found
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.access(path, os.X_OK) else None


def install() -> list[str]:
    """Tries Debian's package, then Playwright's download; the complaints of those that failed."""
    ways = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if os.getuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-q"], capture_output=True, check=False)
        ways.insert(0, ["apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium"])
    complaints = []
    for way in ways:
        done = subprocess.run(way, capture_output=True, text=True, check=False)
        if done.returncode == 0 and installed():
            return []
        complaints.append(f"{' '.join(way[:4])}: {(done.stderr or done.stdout).strip()[-300:]}")
    return complaints


def main() -> None:
    complaints = [] if installed() else install()
    if complaints:
        reasons = "\n  ".join(complaints)
        sys.exit(f"The browser tests need Chromium, and none can be had here:\n  {reasons}\nPut one on PATH.")


if __name__ == "__main__":
    main()
