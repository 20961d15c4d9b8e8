"""`python -m backend`: the command line."""

import sys

# Before anything is imported that an older Python cannot even parse.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("Fuze needs Python 3.11 or newer, this is %d.%d" % sys.version_info[:2])  # noqa: UP031

from backend.cli import main

main(prog_name="python -m backend")
