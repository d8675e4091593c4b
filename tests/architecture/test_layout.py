"""The rules of ARCHITECTURE.md that no other tool checks, and the one that does."""

import ast
import re
from collections.abc import Iterator
from typing import Final

import pytest
from importlinter.cli import lint_imports

from tests.architecture.source import (
    PACKAGE,
    ROOT,
    Module,
    count_lines,
    list_imports,
    list_modules,
    list_strings,
)

MAX_MODULE_LINES: Final = 500
MAX_FUNCTION_LINES: Final = 60
# Catalogues of data grow with the world. A new one needs a reason here.
CATALOGUES: Final = frozenset({"analysis/measures/catalogue.py", "pricing/catalogue.py"})

ENGINES: Final = frozenset({"chdb", "clickhouse_connect", "duckdb"})
SQL_FOLDERS: Final = ("store/", "analysis/measures/")
_SELECT: Final = re.compile(r"\bSELECT\b")
_ENVIRONMENT: Final = frozenset({"environ", "environb", "getenv", "getenvb"})


def test_imports_keep_to_the_contracts(monkeypatch: pytest.MonkeyPatch) -> None:
    # It would switch off the loggers that other tests of this process read.
    monkeypatch.setattr("importlinter.cli.logging_config.dictConfig", lambda _: None)
    assert lint_imports(str(ROOT / ".importlinter"), no_cache=True, no_logo=True) == 0


def test_only_the_store_imports_an_engine() -> None:
    strangers = {
        module.path
        for module in list_modules()
        if ENGINES & {name.partition(".")[0] for name in list_imports(module.tree)}
        and not module.path.startswith("store/")
    }
    assert strangers == set()


def test_one_agent_never_imports_another() -> None:
    agents = {path.parent.name for path in (PACKAGE / "agents").glob("*/__init__.py")}
    strangers = {
        f"{module.path} imports {name}"
        for module in list_modules()
        if module.path.startswith(tuple(f"agents/{agent}/" for agent in agents))
        for name in list_imports(module.tree)
        if name.startswith(tuple(f"codometer.agents.{agent}." for agent in agents))
        and name.split(".")[2] != module.path.split("/")[1]
    }
    assert strangers == set()


def test_sql_is_asked_only_in_the_store_and_the_measures() -> None:
    strangers = {
        module.path
        for module in list_modules()
        if any(_SELECT.search(text) for text in list_strings(module.tree))
    } | {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.sql")}
    assert {path for path in strangers if not path.startswith(SQL_FOLDERS)} == set()


def test_only_settings_reads_the_environment() -> None:
    readers = {module.path for module in list_modules() if _reads_environment(module)}
    assert readers <= {"configuration.py"}


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    too_long = {
        module.path: module.lines
        for module in list_modules()
        if module.lines > MAX_MODULE_LINES and module.path not in CATALOGUES
    }
    assert too_long == {}


def test_no_function_is_longer_than_a_screen() -> None:
    too_long = {
        f"{module.path}:{function.lineno} {function.name}": count_lines(function)
        for module in list_modules()
        for function in _list_functions(module)
        if count_lines(function) > MAX_FUNCTION_LINES
    }
    assert too_long == {}


def _reads_environment(module: Module) -> bool:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "os" and node.attr in _ENVIRONMENT:
                return True
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            if _ENVIRONMENT & {alias.name for alias in node.names}:
                return True
        elif isinstance(node, ast.keyword) and node.arg in {"envvar", "auto_envvar_prefix"}:
            return True  # click would read it for us
    return False


def _list_functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
