"""The source under test, as files and syntax trees."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "src" / "codometer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One module: its path below `src/codometer`, its lines and its tree."""

    path: str
    lines: int
    tree: ast.Module


@cache
def list_modules() -> list[Module]:
    """Every module that people write; generated ones are left out."""
    return [
        _parse(path) for path in sorted(PACKAGE.rglob("*.py")) if not path.stem.endswith("_pb2")
    ]


def _parse(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    return Module(
        path=path.relative_to(PACKAGE).as_posix(),
        lines=len(text.splitlines()),
        tree=ast.parse(text),
    )


def list_imports(tree: ast.AST) -> Iterator[str]:
    """The full names of all that is imported anywhere in the tree, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def list_strings(tree: ast.AST) -> Iterator[str]:
    """Every string in the tree, parts of f-strings too, but for docstrings."""
    docstrings = {id(node) for node in _list_docstrings(tree)}
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    for node in constants:
        if isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def count_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function from `def` on, without those of its docstring."""
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    docstring = _find_docstring(function)
    if docstring is None:
        return total
    return total - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def _list_docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = _find_docstring(node)
            if docstring is not None:
                yield docstring


def _find_docstring(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef,
) -> ast.Constant | None:
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return first.value if isinstance(first.value.value, str) else None
    return None
