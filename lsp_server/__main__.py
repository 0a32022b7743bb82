"""`python -m lsp_server` from a checkout starts the server. A shim for developers: not in the wheel."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Put the two source roots where the working folder stood on the path, then run the command."""
    here = Path(__file__).resolve().parent
    # The working folder may be any workspace: its model.py must never be imported in place of ours.
    elsewhere = [entry for entry in sys.path if entry not in ("", os.getcwd())]
    sys.path[:] = [str(here), str(here.parent / "model"), *elsewhere]
    if len(sys.argv) == 1 or sys.argv[1] in ("--stdio", "--tcp"):
        sys.argv.insert(1, "serve")
    if sys.argv[1:] == ["serve"]:
        sys.argv.append("--stdio")

    from midfill.server.cli import main as run

    run()


if __name__ == "__main__":
    main()
