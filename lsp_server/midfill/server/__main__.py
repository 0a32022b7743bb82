"""`python -P -m midfill.server`: the same as the `midfill` command."""

from midfill.server.cli import main

main()
