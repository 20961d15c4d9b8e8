"""What libraries and the interpreter write on standard error goes through the log too (R-LOG)."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from types import SimpleNamespace
from typing import Any

import pytest

from backend.observability import log_lines
from backend.observability.stdlib_logging import begin_process, route_loggers
from tests.support.logged import logged

pytestmark = pytest.mark.unit


@pytest.fixture
def routed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hooks of a process of its own; afterwards they are as they were."""
    for module, name in ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")):
        monkeypatch.setattr(module, name, getattr(module, name))
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setattr(log_lines, "_process", "cli")
    route_loggers()
    begin_process("worker")


@pytest.mark.parametrize("name", ["gunicorn.error", "rq.worker", "sqlalchemy.pool.impl.QueuePool", "werkzeug"])
def test_loggers_of_libraries_keep_their_names_and_levels(routed: None, name: str) -> None:
    with logged(pattern="{level} {name} {message}") as lines:
        logging.getLogger(name).warning("of %s", name)
        logging.getLogger(name).log(33, "between")
        logging.getLogger(name).debug("for its makers")
    assert lines == [f"WARNING {name} of {name}\n", f"Level 33 {name} between\n"]


def test_a_warning_is_one_line(routed: None) -> None:
    with logged(pattern="{level} {name} {message}") as lines:
        warnings.showwarning(UserWarning("mind the gap"), UserWarning, "a.py", 3)
    assert lines == ["WARNING warnings UserWarning: mind the gap (a.py:3)\n"]


def failure() -> RuntimeError:
    try:
        raise RuntimeError("the reason")
    except RuntimeError as error:
        return error


def test_what_nothing_catches_is_logged(routed: None, capsys: pytest.CaptureFixture[str]) -> None:
    error = failure()
    thread = SimpleNamespace(name="reader")
    arguments: Any = SimpleNamespace(exc_type=RuntimeError, exc_value=error, exc_traceback=None, thread=thread)
    unraisable: Any = SimpleNamespace(exc_value=error, err_msg=None, object=failure)
    with logged() as lines:
        sys.excepthook(RuntimeError, error, error.__traceback__)
        threading.excepthook(arguments)
        threading.excepthook(SimpleNamespace(**{**vars(arguments), "exc_type": SystemExit}))
        sys.unraisablehook(unraisable)
    assert [line.split(" {")[0] for line in lines] == [
        "the process ends by an exception",
        "the thread reader ended by an exception",
        f"exception ignored in: {failure!r}",
    ]
    assert all("RuntimeError: the reason" in line for line in lines)
    assert capsys.readouterr().err == ""


def test_ctrl_c_is_no_failure(routed: None, capsys: pytest.CaptureFixture[str]) -> None:
    with logged() as lines:
        sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert lines == []
    assert "KeyboardInterrupt" in capsys.readouterr().err


def test_a_process_has_a_name_in_its_lines(routed: None) -> None:
    assert '"process":"worker"' in log_lines.json_line(0, "INFO", "", None, {})
