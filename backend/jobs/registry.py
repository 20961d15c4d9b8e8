"""Job registry: the functions that a worker may run, each declared under a name that survives a move of the function.

A message in Redis can only choose a declared name, with arguments of the declared types.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

F = TypeVar("F", bound=Callable[..., Any])

FEATURES = Path(__file__).parent.parent
LARGEST_ID = 2**63 - 1
LONGEST_TEXT = 1_000


class InvalidArguments(Exception):
    """Arguments that do not fit the signature of the job."""


def _is_id(value: object) -> bool:
    return type(value) is int and 0 < value <= LARGEST_ID


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


def _is_uuid(value: object) -> bool:
    if not isinstance(value, str) or len(value) != 36:
        return False
    try:
        UUID(value)
    except ValueError:
        return False
    return True


# Allowed parameter annotations, each with the check of its JSON value.
CHECKS: Mapping[object, Callable[[object], bool]] = {int: _is_id, str: _is_text, UUID | str: _is_uuid}


@dataclass(frozen=True)
class Declaration:
    """A declared job: its function, and the checks of message arguments by parameter name."""

    name: str
    function: Callable[..., Any]
    checks: Mapping[str, Callable[[object], bool]]
    required: frozenset[str]

    def check(self, arguments: object) -> None:
        """Validate the arguments of a message.

        Raises:
            InvalidArguments: they do not fit the signature.
        """
        if not isinstance(arguments, dict) or not self.required <= arguments.keys() <= self.checks.keys():
            raise InvalidArguments
        if not all(self.checks[name](value) for name, value in arguments.items()):
            raise InvalidArguments


_declared: dict[str, Declaration] = {}


def job(name: str) -> Callable[[F], F]:
    """Declare a function as a job that messages call by this name."""

    def declare(function: F) -> F:
        declared = _declared.get(name)
        if declared is not None and _place(declared.function) != _place(function):
            raise ValueError(f"Two jobs are called {name}: {_place(declared.function)} and {_place(function)}.")
        _declared[name] = _declaration(name, function)
        return function

    return declare


def declared_job(name: str) -> Declaration | None:
    """Return the job of this name, or None where no loaded module declares it."""
    return _declared.get(name)


def declared_names() -> frozenset[str]:
    """Return the names of all jobs that loaded modules declare."""
    return frozenset(_declared)


def load_jobs() -> None:
    """Import all modules that declare jobs: `jobs.py` of each package, and `jobs.maintenance`."""
    importlib.import_module("backend.jobs.maintenance")
    for package in pkgutil.iter_modules([str(FEATURES)], "backend."):
        if package.ispkg and find_spec(f"{package.name}.jobs") is not None:
            importlib.import_module(f"{package.name}.jobs")


def _declaration(name: str, function: Callable[..., Any]) -> Declaration:
    # A decorator's wrapper is what a message calls, so the wrapper's own parameters count.
    names = getattr(function, "__globals__", None)
    parameters = inspect.signature(function, follow_wrapped=False, eval_str=True, globals=names).parameters
    for parameter in parameters.values():
        if parameter.annotation not in CHECKS or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(f"The job {name} cannot take {parameter} from a message.")
    checks = {parameter.name: CHECKS[parameter.annotation] for parameter in parameters.values()}
    required = frozenset(name for name, parameter in parameters.items() if parameter.default is parameter.empty)
    return Declaration(name, function, checks, required)


def _place(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"
