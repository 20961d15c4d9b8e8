"""Tracebacks for log lines: bounded, with short paths, without values of variables or statements, secrets hidden."""

from __future__ import annotations

import re
import sys
import sysconfig
import traceback
from pathlib import Path

from backend.observability.log_lines import without_middle
from backend.observability.redaction import redact

MOST_TRACE = 3_000
# Of a chain of causes; a longer one goes round in a circle.
MOST_CAUSES = 20
# Marks below the part of a source line that failed.
MARKS = re.compile(r"^[ |+]*[\^~]+\n", re.MULTILINE)
LIBRARIES = [sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")]
# Where modules lie, the innermost folder first.
PLACES = sorted({*LIBRARIES, str(Path(__file__).parents[2])}, key=len, reverse=True)
# A frame with its source line, and three or more of libraries: the first is called by our code, the last has failed.
FRAME = r'^  File "(?:{})/[^"\n]*".*\n(?:    .*\n)?'.format("|".join(map(re.escape, LIBRARIES)))
LIBRARY_FRAMES = re.compile(rf"({FRAME})((?:{FRAME})+)({FRAME})", re.MULTILINE)


def trace_of(error: BaseException | None) -> str:
    """Format a traceback of at most `MOST_TRACE` characters; where it is longer the middle is left out.

    Values of variables are not shown. Errors of PostgreSQL keep their first line only, since the others quote values of
    the statement.
    """
    if error is None:
        return ""
    trace = MARKS.sub("", without_quoted_values("".join(traceback.format_exception(error)), error))
    trace = LIBRARY_FRAMES.sub(_shorten_run, trace)
    for place in PLACES:
        trace = trace.replace(f'File "{place}/', 'File "')
    return without_middle(redact(trace).strip(), MOST_TRACE)


def _shorten_run(run: re.Match[str]) -> str:
    first, middle, last = run.groups()
    number = middle.count('\n  File "') + 1
    return f"{first}  [… {number} more of libraries]\n{last}"


def without_quoted_values(trace: str, error: BaseException) -> str:
    """Reduce what errors of PostgreSQL among the causes say in a text to their first line: the others quote values."""
    # A process that has not loaded the driver has no such errors.
    driver = sys.modules.get("psycopg2")
    if driver is None:
        return trace
    cause: BaseException | None = error
    for _ in range(MOST_CAUSES):
        if isinstance(cause, driver.Error):
            trace = trace.replace(str(cause).strip(), cause.diag.message_primary or "the connection failed")
        cause = (cause.__cause__ or cause.__context__) if cause is not None else None
    return trace
