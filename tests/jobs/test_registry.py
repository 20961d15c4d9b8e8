"""What a worker may run: declared functions, with arguments of the declared types."""

from __future__ import annotations

from functools import wraps
from typing import Any
from uuid import UUID, uuid4

import pytest

from backend.jobs.registry import InvalidArguments, declared_job, declared_names, job, load_jobs

pytestmark = pytest.mark.unit


@job("tests.example")
def example(page_id: int, name: str = "") -> None:
    """Takes a number, and perhaps a name."""


@job("tests.of_uuid")
def of_uuid(job_id: UUID | str) -> None:
    """Takes a UUID."""


def check(name: str, arguments: Any) -> None:
    declaration = declared_job(name)
    assert declaration is not None
    declaration.check(arguments)


@pytest.mark.parametrize("arguments", [{"page_id": 1}, {"page_id": 2**63 - 1, "name": "é"}])
def test_arguments_of_the_declared_types_pass(arguments: dict[str, Any]) -> None:
    check("tests.example", arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {}, [], None, 7, "page_id", [1], {"page_id": None}, {"page_id": "1"}, {"page_id": 1.0}, {"page_id": True},
        {"page_id": 0}, {"page_id": -1}, {"page_id": 2**63}, {"page_id": [1]}, {"page_id": {"a": 1}},
        {"page_id": 1, "name": 5}, {"page_id": 1, "name": "x" * 1_001}, {"page_id": 1, "other": 1}, {"name": "x"},
    ],
)  # fmt: skip
def test_all_others_are_refused(arguments: Any) -> None:
    with pytest.raises(InvalidArguments):
        check("tests.example", arguments)


def test_a_uuid_is_one_in_its_usual_form() -> None:
    check("tests.of_uuid", {"job_id": str(uuid4())})
    for value in ("", "x", "a" * 36, "{" + str(uuid4())[1:], uuid4().hex, 5, None):
        with pytest.raises(InvalidArguments):
            check("tests.of_uuid", {"job_id": value})


def test_a_name_stands_for_one_function() -> None:
    with pytest.raises(ValueError, match=r"tests\.example"):

        @job("tests.example")
        def other() -> None:
            """Another function."""


def test_a_function_whose_arguments_cannot_be_checked_is_no_job() -> None:
    def of_list(ids: list[int]) -> None: ...
    def of_any(**arguments: int) -> None: ...
    def of_unknown(page) -> None: ...  # type: ignore[no-untyped-def]

    for function in (of_list, of_any, of_unknown):
        with pytest.raises(TypeError):
            job(f"tests.{function.__name__}")(function)
        assert f"tests.{function.__name__}" not in declared_names()


def test_a_wrapper_is_declared_with_its_own_parameters() -> None:
    def inner(whole: object) -> None: ...

    @job("tests.wrapper")
    @wraps(inner, assigned=("__name__", "__qualname__"))
    def wrapper(page_id: int) -> None:
        inner(page_id)

    check("tests.wrapper", {"page_id": 1})


@pytest.mark.parametrize("name", ["os.system", "subprocess.call", "backend.create_app", "", "tests.example.__call__"])
def test_what_was_not_declared_is_no_job(name: str) -> None:
    load_jobs()
    assert declared_job(name) is None
