"""Trusted files as modules, under names that hold their digest: versions live side by side."""

from __future__ import annotations

import ast
import difflib
import inspect
import linecache
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import torch

from fashioncnn.errors import CodeError, TrustError
from fashioncnn.usercode.faults import PREFIX, user_code
from fashioncnn.usercode.source import Digests, Source, digest_of, parse


class _Library(MetaPathFinder):
    """The sources of this process by package name, and what may be called in which of them."""

    def __init__(self) -> None:
        self.sources: dict[str, Source] = {}
        self.trusted: dict[str, set[str]] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a package of sources, or a file in one."""
        del path, target
        package, _, name = fullname.partition(".")
        if package not in self.trusted:
            return None
        if name and f"{name}.py" not in self.sources[package].files:
            return None
        return ModuleSpec(fullname, _FileLoader(self.sources[package], name), is_package=not name)


class _FileLoader(Loader):
    """Runs one file of a source; the package itself is empty."""

    def __init__(self, source: Source, name: str) -> None:
        self._source = source
        self._name = name

    def exec_module(self, module: ModuleType) -> None:
        """Run the file, its imports from beside it leading to the same source."""
        if self._name:
            code = _compiled(self._source, f"{self._name}.py")
            module.__file__ = code.co_filename
            exec(code, module.__dict__)


_LIBRARY = _Library()
_under_way: list[None] = []
sys.meta_path.append(_LIBRARY)


def offer(source: Source, trusted: Iterable[str] = (), *, copied: bool = False) -> None:
    """Let `find` know these files; of them only the addresses that are `trusted` may be called.

    Where the same files lie in several folders, the last one counts that is not a run's copy.
    """
    package = _package(source.digests)
    if not copied or package not in _LIBRARY.sources:
        _LIBRARY.sources[package] = source
    if trusted := set(trusted):
        _LIBRARY.trusted.setdefault(package, set()).update(trusted)


def source_of(digests: Digests) -> Source:
    """Return files that were offered. Raises CodeError when they were not."""
    try:
        return _LIBRARY.sources[_package(digests)]
    except KeyError:
        raise CodeError(f"the files {', '.join(digests)} of the recipe are not at hand") from None


def may_run(digests: Digests, addresses: Iterable[str]) -> bool:
    """Say whether `addresses` may be called in files that were offered."""
    return set(addresses) <= _LIBRARY.trusted.get(_package(digests), set())


def require(digests: Digests, addresses: Iterable[str]) -> None:
    """Raise TrustError unless `addresses` may be called in these files."""
    if may_run(digests, addresses):
        return
    source = source_of(digests)
    raise TrustError(
        f"{source.folder} holds code that this machine did not train with: "
        f"{', '.join(source.files)} (SHA-256 {digest_of(digests)[:16]}…). Nothing of it was run. "
        "Read it; to run it, name its run with --trust"
    )


def find(digests: Digests, address: str) -> Any:
    """Return what "file.py:Name" is, importing the file where that was not done yet.

    Raises TrustError where the files are not trusted, CodeError where they fail or lack the name.
    """
    file, _, name = address.partition(":")
    source = source_of(digests)
    require(digests, [address])
    # What a file draws at random while it is imported must not change what the seed decides.
    with torch.random.fork_rng(), _importing(), user_code(str(source.folder / file)):
        module = import_module(f"{_package(digests)}.{file.removesuffix('.py')}")
    found = getattr(module, name, None)
    # What a file merely imports was not meant to be chosen by whoever writes a recipe.
    if not str(getattr(found, "__module__", "")).startswith(_package(digests)):
        raise CodeError(f"{source.folder / file} has no {name} of its own{_instead(module, name)}")
    return found


def is_importing() -> bool:
    """Say whether a user's file is being imported now."""
    return bool(_under_way)


@contextmanager
def _importing() -> Iterator[None]:
    _under_way.append(None)
    try:
        yield
    finally:
        _under_way.pop()


def _instead(module: ModuleType, name: str) -> str:
    own = [
        one
        for one, thing in vars(module).items()
        if callable(thing) and inspect.getmodule(thing) is module and not one.startswith("_")
    ]
    near = difflib.get_close_matches(name, own, 1)
    return f"; did you mean {near[0]}?" if near else f"; it has {', '.join(own) or 'nothing'}"


def _package(digests: Digests) -> str:
    return PREFIX + digest_of(digests)


def _compiled(source: Source, name: str) -> CodeType:
    path, text = source.folder / name, source.files[name]
    tree = _Together(source).visit(parse(text, path))
    # Tracebacks show the lines that ran, whatever became of the file.
    linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))
    try:
        return compile(ast.fix_missing_locations(tree), str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise CodeError(f"{path}:{error.lineno}: {error.msg}") from None


class _Together(ast.NodeTransformer):
    """Turns `import helper` into `from . import helper` where helper.py is of the same source."""

    def __init__(self, source: Source) -> None:
        self._modules = {Path(name).stem for name in source.files}

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        """See class."""
        statements: list[ast.stmt] = []
        for alias in node.names:
            one: ast.stmt = ast.Import([alias])
            if alias.name in self._modules:
                one = ast.ImportFrom(None, [alias], 1)
            statements.append(ast.copy_location(one, node))
        return statements

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        """See class."""
        if node.level == 0 and node.module in self._modules:
            return ast.copy_location(ast.ImportFrom(node.module, node.names, 1), node)
        return node
