"""The house keeps its shape: DESIGN.md, "The house", and STYLE.md, held over the syntax tree."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parent.parent
# The rooms from the ground up: each may use those above it in this list, never those below (`models.py` excepted: rows
# refer to each other in both directions).
ROOMS = (
    *(
        "errors",
        "clock",
        "allocator",
        "machine",
        "named_blocks",
        "circuit_breaker",
        "actor",
        "spans",
        "text",
        "outbound",
        "redis",
        "extensions",
        "leases",
        "database",
        "replica",
    ),
    *("encryption", "observability", "http", "jobs", "mail", "ai", "activity"),
    *("auth", "organizations", "registration", "index"),
    *("projects", "bookmarks", "capture", "search", "tasks", "recommendations", "transfer", "dashboard", "digests"),
    *("profile", "health", "metrics", "admin", "linkding", "web", "cache_warmup", "local_stack", "backup", "cli"),
)
# The application is built from everything; what starts a process builds the application.
APPLICATION = ("", "app", "__main__")
# Methods of the environment that tell nothing of what is in it.
REPLACES = ("clear", "update")
STARTING_POINTS = {"backend.jobs.lanes", "backend.jobs.scheduler"}
# What a feature may not be used by: plumbing knows no feature.
PLUMBING = ROOMS[: ROOMS.index("auth")]
# Who in a feature may see the request: its routes, what turns headers into an actor, what sends the request's id along
# with a message (R-LOG 2), or the client's address with a security event, and what chooses the language of a mail.
SEES_THE_REQUEST = {
    "backend.auth.clients",
    "backend.auth.cookies",
    "backend.auth.authentication",
    "backend.auth.events",
    "backend.jobs.queue",
    "backend.linkding.field_messages",
    "backend.linkding.refusals",
    "backend.jobs.service",
    "backend.mail.languages",
}
EMPTY_NAME = re.compile(r"(^|_)(utils?|helpers?|common|misc|managers?)(_|$)")
EMPTY_CLASS = re.compile(r"(Utils?|Helpers?|Misc|Manager)$")
KNOW_OPENAPI = {"backend.http.operations", "backend.http.spec_tree", "backend.http.validation"}
VERBS = {"get", "post", "put", "patch", "delete", "route"}
MAX_ROUTE_LINES = 10

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One source file."""

    path: Path

    @cached_property
    def name(self) -> str:
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def lines(self) -> list[str]:
        return self.path.read_text().splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse("\n".join(self.lines))

    @property
    def area(self) -> str:
        """The directory or module right below `backend`; the application factory itself has none."""
        return (*self.name.split("."), "")[1]

    @property
    def kind(self) -> str:
        """`routes`, `service`, `queries`, …: what the file name promises."""
        return self.name.rpartition(".")[2]

    @cached_property
    def imports(self) -> set[str]:
        """Dotted names of what is imported from `backend`, a module each."""
        return {name for name in self._imported() if name.split(".")[0] == "backend"}

    def _imported(self) -> Iterator[str]:
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name}:{node.lineno} imports by a relative path"
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    yield whole if whole in MODULE_NAMES else str(node.module)

    def names_from(self, package: str) -> set[str]:
        """The names taken from a library by `from … import`."""
        found = (node for node in self.nodes if isinstance(node, ast.ImportFrom) and node.module == package)
        return {alias.name for node in found for alias in node.names}

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @property
    def functions(self) -> list[Function]:
        return [node for node in self.nodes if isinstance(node, Function)]

    @property
    def has_blueprint(self) -> bool:
        """Whether it makes a blueprint, whatever its file is called."""
        calls = (node for node in self.nodes if isinstance(node, ast.Call))
        return any(ast.unparse(call.func).rpartition(".")[2] == "Blueprint" for call in calls)

    def __str__(self) -> str:
        return self.name


def _area(module_name: str) -> str:
    return (*module_name.split("."), "")[1]


def _prose() -> list[Path]:
    files = [*(ROOT / "backend").rglob("*.py"), *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    return sorted(path.relative_to(ROOT) for path in files)


PATHS = sorted((ROOT / "backend").rglob("*.py"))
MODULE_NAMES = {Module(path).name for path in PATHS}
MODULES = [Module(path) for path in PATHS]
STARTERS = [
    Module(ROOT / name)
    for name in ("config.py", "config_checks.py", "wsgi.py", "gunicorn.conf.py", "migrations/env.py")
]
ROUTES = [module for module in MODULES if module.kind == "routes" or module.has_blueprint]
# Each import of one module of ours by another.
USES = [(module, imported) for module in MODULES for imported in sorted(module.imports)]


def test_every_room_has_a_place_in_the_order() -> None:
    assert {module.area for module in MODULES} <= {*ROOMS, *APPLICATION}


def test_rooms_use_only_rooms_above_them() -> None:
    """So there is no circle between packages either."""
    assert not [f"{module} imports {imported}" for module, imported in USES if not _may_use(module, imported)]


def _may_use(module: Module, imported: str) -> bool:
    user, used = module.area, _area(imported)
    if user == used or user in APPLICATION or imported.endswith(".models"):
        return True
    if used in APPLICATION:
        return user == "cli" or module.name in STARTING_POINTS
    return ROOMS.index(used) < ROOMS.index(user)


def test_no_module_leads_back_to_itself() -> None:
    graph: dict[str, set[str]] = {}
    for module, imported in USES:
        if "app" not in (module.area, _area(imported)) and _area(imported):
            graph.setdefault(module.name, set()).add(imported)
    TopologicalSorter(graph).prepare()  # Raises CycleError, which names the circle.


def test_plumbing_uses_no_feature() -> None:
    assert not [
        f"{module} imports {imported}"
        for module, imported in USES
        if module.area in PLUMBING
        and _area(imported) not in (*PLUMBING, *APPLICATION)
        and not imported.endswith(".models")
    ]


def test_public_classes_have_names_of_their_own() -> None:
    named = [
        (node.name, module.name)
        for module in MODULES
        for node in module.tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    count = Counter(name for name, _ in named)
    assert not sorted(f"{name} in {where}" for name, where in named if count[name] > 1)


# HTML has an element `aside`, which follows `article` in lists of elements.
PRIVATE_WORDS = re.compile(
    r"anew|\bwish(?!list)|\bstrangers?\b|remak(?:e|ing)|kept answer|give_up|given up"
    r"|at_hand|at hand|spotting|\bjudging|(?<!article )\basides?\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("path", _prose(), ids=str)
def test_words_are_those_of_the_field(path: Path) -> None:
    lines = enumerate((ROOT / path).read_text().splitlines(), 1)
    assert not [f"{path}:{number}: {line.strip()}" for number, line in lines if PRIVATE_WORDS.search(line)]


def test_routes_are_imported_by_the_application_alone() -> None:
    assert {module.name for module, imported in USES if imported.endswith(".routes")} == {"backend.app"}


def test_imports_run_from_routes_to_services_to_models() -> None:
    assert not [f"{module} imports {imported}" for module, imported in USES if _runs_upward(module, imported)]


def _runs_upward(module: Module, imported: str) -> bool:
    used = imported.rpartition(".")[2]
    if module.kind == "models":
        return used not in ("models", "extensions")
    if module.kind == "schemas":
        return used in ("service", "queries", "jobs", "extensions")
    return module.kind == "queries" and used in ("service", "jobs")


def test_only_few_modules_know_the_openapi_library() -> None:
    assert {module.name for module in MODULES if _imports_library(module, "spectree")} == KNOW_OPENAPI
    assert {module.area for module in MODULES if "spec" in module.names_from("backend.http.operations")} <= {"http"}


def _imports_library(module: Module, library: str) -> bool:
    return any(
        (isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == library)
        or (isinstance(node, ast.Import) and library in {alias.name.split(".")[0] for alias in node.names})
        for node in module.nodes
    )


def test_only_the_configuration_reads_the_environment() -> None:
    readers = {module.name for module in [*MODULES, *STARTERS] if any(_reads_environment(module))}
    assert readers <= {"config"}


def _reads_environment(module: Module) -> Iterator[bool]:
    # One function hands the environment on to child processes as it is, one replaces it; they read nothing in it.
    handed_on = {
        id(value)
        for function in module.functions
        if (module.name, function.name) == ("backend.local_stack.processes", "inherited_environment")
        for dictionary in ast.walk(function)
        if isinstance(dictionary, ast.Dict)
        for key, value in zip(dictionary.keys, dictionary.values, strict=True)
        if key is None
    }
    handed_on |= {
        id(call.func.value)
        for function in module.functions
        if (module.name, function.name) == ("backend.local_stack.processes", "replace_environment")
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in REPLACES
    }
    for node in module.nodes:
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os":
            yield node.attr in ("environ", "environb", "getenv", "getenvb") and id(node) not in handed_on
        if isinstance(node, ast.ImportFrom):
            yield node.module == "os" and any("env" in alias.name for alias in node.names)


def test_services_do_not_know_that_there_is_a_request() -> None:
    of_requests = {"request", "g", "session", "abort", "jsonify", "make_response", "Response"}
    rooms = {*ROOMS[ROOMS.index("jobs") :], "redis", "text"}
    knowing = {
        module.name
        for module in MODULES
        if module.area in rooms and module not in ROUTES and module.names_from("flask") & of_requests
    }
    assert knowing <= SEES_THE_REQUEST


def test_routes_never_see_the_database() -> None:
    for module in ROUTES:
        assert not {"db", "Base"} & module.names_from("backend.extensions"), module
        assert not any(name.endswith(".models") for name in module.imports), module
        assert not re.search(r"db\.session|sqlalchemy", "\n".join(module.lines)), module


def _views(module: Module) -> Iterator[Function]:
    for function in module.functions:
        calls = (decorator.func for decorator in function.decorator_list if isinstance(decorator, ast.Call))
        if any(isinstance(call, ast.Attribute) and call.attr in VERBS for call in calls):
            yield function


def test_views_are_short_and_say_in_a_line_what_they_do() -> None:
    for module in ROUTES:
        assert list(_views(module)), module
        for view in _views(module):
            doc = ast.get_docstring(view)
            assert doc, f"{view.name} has no docstring"
            assert "\n" not in doc, f"{view.name}: a summary is one line"
            assert doc.endswith("."), f"{view.name}: a summary is a sentence"
            body = view.body[1:]
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1
            assert lines <= MAX_ROUTE_LINES, f"{view.name} has {lines} lines"


def test_an_import_inside_a_function_has_a_reason() -> None:
    assert not [
        f"{module}:{node.lineno}"
        for module in MODULES
        for function in module.functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom) and not _has_reason(module, function, node)
    ]


def _has_reason(module: Module, function: Function, node: ast.stmt) -> bool:
    before = module.lines[function.lineno : node.lineno]
    return any(re.search(r"# (?!noqa)", text) for text in before)


@pytest.mark.parametrize("folder", ["backend", "tests", "benchmarks"])
def test_every_file_name_says_what_is_in_it(folder: str) -> None:
    paths = [path for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts]
    assert not [path for path in paths if EMPTY_NAME.search(path.stem)]


def test_every_class_name_says_what_the_thing_is() -> None:
    classes = [node.name for module in MODULES for node in module.nodes if isinstance(node, ast.ClassDef)]
    assert not [name for name in classes if EMPTY_CLASS.search(name)]


def test_public_functions_are_described_and_typed() -> None:
    for module in MODULES:
        for function, described_elsewhere in _public_functions(module):
            assert described_elsewhere or ast.get_docstring(function), f"{module}: {function.name} has no docstring"
            assert function.returns is not None, f"{module}: {function.name} does not say what it returns"


def _public_functions(module: Module) -> Iterator[tuple[Function, bool]]:
    """Functions of the module and methods of its classes; beside each whether a base class or its name describes it."""
    for node in module.tree.body:
        if isinstance(node, Function):
            yield from _if_public(node, False)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            inherits = any(ast.unparse(base).split("[")[0] not in ("ABC", "Generic", "Protocol") for base in node.bases)
            for member in node.body:
                if isinstance(member, Function):
                    decorators = {ast.unparse(decorator) for decorator in member.decorator_list}
                    yield from _if_public(member, inherits or "property" in decorators)


def _if_public(function: Function, described_elsewhere: bool) -> Iterator[tuple[Function, bool]]:
    if not function.name.startswith("_"):
        yield function, described_elsewhere


def test_modules_are_described() -> None:
    assert not [str(module) for module in MODULES if module.tree.body and not ast.get_docstring(module.tree)]


def test_no_error_is_swallowed_silently() -> None:
    handlers = [(module, node) for module in MODULES for node in module.nodes if isinstance(node, ast.ExceptHandler)]
    assert not [f"{module}:{node.lineno}" for module, node in handlers if node.type is None or _is_silent(node)]


def test_locked_batches_are_chosen_once() -> None:
    # PostgreSQL may run a subquery of IN for each row: with SKIP LOCKED it then finds other rows each time.
    again = re.compile(r"\bIN\s*\(\s*SELECT\b[^()]*(\([^()]*\)[^()]*)*\bSKIP\s+LOCKED", re.IGNORECASE)
    assert again.search("DELETE FROM t WHERE id IN (SELECT id FROM t WHERE at < now() LIMIT 9 FOR UPDATE SKIP LOCKED)")
    files = [*(ROOT / "backend").rglob("*.py"), *(ROOT / "backend").rglob("*.sql")]
    assert not [str(path) for path in files if again.search(path.read_text("utf-8"))]


def _is_silent(handler: ast.ExceptHandler) -> bool:
    return all(
        isinstance(statement, ast.Pass)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in handler.body
    )
