"""Requests that no route takes: counted all the same, and told nothing before they have shown who they are."""

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
    """What is done with requests that no route takes, before they get their 404 or 405."""

    def __init__(self, app: Flask) -> None:
        """`app` is whose routes to know; they may be registered later."""
        self._app = app

    def receive(self) -> None:
        """Count a request that no route takes.

        Where a path differs from one of ours only by an id that cannot be, the caller has to be somebody who would
        learn there that an object is missing: 401 comes before 404.
        """
        if request.url_rule is not None:
            return
        operation = self._looked_for()
        if operation is None:
            charge_unmatched("default")
        else:
            admit(operation, looks_up=False)

    def _looked_for(self) -> Operation | None:
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
    """The path of a rule with anything in the places of its arguments."""
    return re.compile("[^/]+".join(re.escape(part) for part in ARGUMENT.split(rule.rule)))
