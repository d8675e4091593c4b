"""Ask a URL until it answers 200: `python -m tests.e2e.fetch URL SECONDS`.

A program of its own, because it has to run inside the network namespace.
"""

import sys
import time
from urllib.error import HTTPError, URLError
from urllib.request import urlopen


def fetch(url: str, within_seconds: float) -> str:
    """Return the body of the first 200, or raise the last fault once time is up."""
    deadline = time.monotonic() + within_seconds
    while True:
        try:
            with urlopen(url, timeout=20) as answer:  # noqa: S310 - always http, on loopback
                body: bytes = answer.read()
                return body.decode()
        except (URLError, ConnectionError, TimeoutError) as fault:
            if time.monotonic() > deadline:
                raise
            if isinstance(fault, HTTPError):
                fault.close()
        time.sleep(0.1)


if __name__ == "__main__":
    try:
        print(fetch(sys.argv[1], float(sys.argv[2])))  # noqa: T201 - its one output
    except HTTPError as fault:
        sys.exit(f"{fault}: {fault.read().decode()}")
