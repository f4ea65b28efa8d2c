"""Runs the checks of one client and says how many of them held."""

import sys
import time
import traceback
from collections.abc import Callable

# The address of the service, which the program gets as its only argument.
SERVICE, KEY = sys.argv[1:3]

Check = Callable[[], None]
checks: list[Check] = []


def check(function: Check) -> Check:
    """Add a check, which is named by what it claims; one that raises has failed."""
    checks.append(function)
    return function


def run() -> None:
    """Run the checks in the order in which they were added."""
    failed = 0
    for function in checks:
        try:
            function()
        except Exception:
            failed += 1
            print(f"FAILED: {function.__name__}: {traceback.format_exc()}")
    print(f"{len(checks) - failed} passed, {failed} failed")


def is_png(content: bytes) -> bool:
    """Whether a file begins as every PNG does."""
    return content.startswith(b"\x89PNG\r\n\x1a\n")


def ended(status: Callable[[], str]) -> str:
    """Ask for the status every 0.1 s until it is one that a job ends in, for at most a minute; gives it."""
    for _ in range(600):
        found = status()
        if found in {"done", "failed", "cancelled"}:
            return found
        time.sleep(0.1)
    raise TimeoutError("the job did not end within a minute")
