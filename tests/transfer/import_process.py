"""A worker that runs one import, in a process that may be killed: `python -m tests.transfer.import_process <job>`."""

from __future__ import annotations

import sys
from unittest.mock import patch

from backend.app import create_app
from backend.transfer.jobs import run_import
from config import load_settings
from tests.transfer.json_lines import JSON_LINES


def main() -> None:
    """Run the import whose job is named."""
    app = create_app(load_settings(_env_file=None))
    with app.app_context(), patch("backend.transfer.importing.format_named", lambda _: JSON_LINES):
        run_import(sys.argv[1])


if __name__ == "__main__":
    main()
