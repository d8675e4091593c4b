"""`python -m codometer` is `codometer`."""

from __future__ import annotations

from codometer.cli.main import main

if __name__ == "__main__":
    main(prog_name="codometer")
