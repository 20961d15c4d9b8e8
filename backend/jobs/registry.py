"""What a worker may run: functions that were declared as jobs, each under a name that stays when the function moves.

A message in Redis chooses among these. It imports nothing, and its arguments must be those that the function takes.
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


class UnfitArguments(Exception):
    """Arguments that the function does not take."""


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


# What a parameter may be declared as, and what JSON must hold for it.
CHECKS: Mapping[object, Callable[[object], bool]] = {int: _is_id, str: _is_text, UUID | str: _is_uuid}


@dataclass(frozen=True)
class Declaration:
    """A function that a worker may run, and how the arguments of a message are checked, by name."""

    name: str
    function: Callable[..., Any]
    checks: Mapping[str, Callable[[object], bool]]
    required: frozenset[str]

    def check(self, arguments: object) -> None:
        """Pass if the function takes these arguments.

        Raises:
            UnfitArguments: it does not.
        """
        if not isinstance(arguments, dict) or not self.required <= arguments.keys() <= self.checks.keys():
            raise UnfitArguments
        if not all(self.checks[name](value) for name, value in arguments.items()):
            raise UnfitArguments


_declared: dict[str, Declaration] = {}


def job(name: str) -> Callable[[F], F]:
    """Declare a function as a job: a message may ask for it by this name, with arguments of the declared types."""

    def declare(function: F) -> F:
        known = _declared.get(name)
        if known is not None and _place(known.function) != _place(function):
            raise ValueError(f"Two jobs are called {name}: {_place(known.function)} and {_place(function)}.")
        _declared[name] = _declaration(name, function)
        return function

    return declare


def declared_job(name: str) -> Declaration | None:
    """The job of this name. None where no loaded module declares one."""
    return _declared.get(name)


def declared_names() -> frozenset[str]:
    """The names of all jobs that loaded modules declare."""
    return frozenset(_declared)


def load_jobs() -> None:
    """Import every module of the backend that declares jobs: `jobs.py` of each feature, and our own maintenance."""
    importlib.import_module("backend.jobs.maintenance")
    for package in pkgutil.iter_modules([str(FEATURES)], "backend."):
        if package.ispkg and find_spec(f"{package.name}.jobs") is not None:
            importlib.import_module(f"{package.name}.jobs")


def _declaration(name: str, function: Callable[..., Any]) -> Declaration:
    # A decorator's wrapper is what is called, so its own parameters count, as its own module understands them.
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
