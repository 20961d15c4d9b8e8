"""Requests that no route matches: counted like others, and told nothing before they have authenticated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from flask import Flask, request
from werkzeug.routing import Rule

from backend.http.admission import admit, charge_unmatched
from backend.http.operations import Operation, declared_operation

ARGUMENT = re.compile(r"<[^>]*>")


class UnmatchedRequests:
    """What is done with requests that no route matches, before they get their 404 or 405."""

    def __init__(self, app: Flask) -> None:
        """Take the routes of `app`, which may be registered later."""
        self._app = app

    def receive(self) -> None:
        """Count a request that no route matches.

        Where a path differs from a route's only by an impossible id, the caller has to authenticate as for a missing
        object: 401 comes before 404.
        """
        operation = self._operation_meant()
        if operation is None:
            charge_unmatched("default")
        else:
            admit(operation, looks_up=False)

    def _operation_meant(self) -> Operation | None:
        for shape, methods, operation in self._shapes:
            if request.method in methods and shape.fullmatch(request.path):
                return operation
        return None

    @cached_property
    def _shapes(self) -> list[tuple[re.Pattern[str], frozenset[str], Operation]]:
        return [
            (_shape(rule), frozenset(rule.methods or ()) - {"OPTIONS"}, operation)
            for rule, operation in self._guarded_rules()
        ]

    def _guarded_rules(self) -> Iterator[tuple[Rule, Operation]]:
        for rule in self._app.url_map.iter_rules():
            operation = declared_operation(self._app, rule.endpoint)
            if rule.arguments and operation is not None and operation.scope is not None:
                yield rule, operation


def _shape(rule: Rule) -> re.Pattern[str]:
    """Return the pattern of a rule's path, with anything in place of its arguments."""
    shape = "[^/]+".join(re.escape(part) for part in ARGUMENT.split(rule.rule))
    return re.compile(shape if rule.strict_slashes else f"{shape.rstrip('/')}/?")
