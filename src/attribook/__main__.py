"""`python -m attribook`: the command, where its script is not on the path."""

from attribook.cli.main import main

main()
