"""A user's file and the files beside it that it imports, as text: read, never run.

`import helper` and `from .helper import Block` mean helper.py in the same folder.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fashioncnn.errors import CodeError, FashionCNNError, StorageError

MAX_BYTES = 1 << 20
MAX_FILES = 50
FILE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\.py")
# Digests by file name, as a recipe's table `code` has them.
Digests = Mapping[str, str]


@dataclass(frozen=True)
class Source:
    """Texts of Python files by name; `folder` is where they lie, for people to find them."""

    files: Mapping[str, str]
    folder: Path

    @cached_property
    def digests(self) -> dict[str, str]:
        """The SHA-256 of each file."""
        return {name: _sha256(text) for name, text in sorted(self.files.items())}

    def joined(self, other: Source) -> Source:
        """Return both together. Raises CodeError where they differ on a file."""
        for name in self.files.keys() & other.files.keys():
            if self.files[name] != other.files[name]:
                raise CodeError(
                    f"two files are called {name}, {self.folder / name} and {other.folder / name}: "
                    "a run keeps its files in one folder, so call one of them otherwise"
                )
        return Source({**self.files, **other.files}, self.folder)


def digest_of(digests: Digests) -> str:
    """Return one SHA-256 that stands for several files."""
    return _sha256(json.dumps(dict(sorted(digests.items()))))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read(path: Path) -> Source:
    """Read a user's file, and what it imports from beside it, and so on.

    Raises CodeError for what is no Python, and for imports that a run could not take along.
    """
    if not FILE_NAME.fullmatch(path.name):
        raise CodeError(f"{path}: a file of code is called like a Python module, as mine.py")
    texts: dict[str, str] = {}
    waiting = [path]
    while waiting:
        one = waiting.pop()
        if one.name in texts:
            continue
        texts[one.name] = read_text(one)
        if len(texts) > MAX_FILES:
            raise CodeError(f"{path}: imports more than {MAX_FILES} files beside it")
        waiting += _beside(one, parse(texts[one.name], one))
    return Source(texts, path.parent)


def read_copy(folder: Path, digests: Digests) -> Source:
    """Read the files that a run keeps. Raises CodeError unless each is what was recorded."""
    texts = {}
    for name in sorted(digests):
        if not FILE_NAME.fullmatch(name):
            raise CodeError(f"{folder}: {name[:80]!r} is not the name of a file of code")
        texts[name] = read_text(folder / name, follow_links=False)
        if _sha256(texts[name]) != digests[name]:
            raise CodeError(f"{folder / name}: damaged (its SHA-256 is not the one recorded)")
    return Source(texts, folder)


def changed(folder: Path, digests: Digests) -> list[str]:
    """List the files in `folder` that are no longer what they were, or are gone."""
    found = []
    for name, digest in sorted(digests.items()):
        try:
            same = _sha256(read_text(folder / name)) == digest
        except FashionCNNError:
            same = False
        if not same:
            found.append(name)
    return found


def read_text(path: Path, follow_links: bool = True) -> str:
    """Return a file of code as text. Raises CodeError, StorageError."""
    flags = os.O_RDONLY | os.O_NONBLOCK | (0 if follow_links else os.O_NOFOLLOW)
    try:
        handle = os.open(path, flags)
        with os.fdopen(handle, "rb") as file:
            told = os.fstat(file.fileno())
            if not stat.S_ISREG(told.st_mode):
                raise CodeError(f"{path}: not a file")
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise CodeError(f"{path}: no such file") from None
    except OSError as error:
        if not follow_links and path.is_symlink():
            raise CodeError(f"{path}: a link, where a run keeps files") from None
        raise StorageError.from_os_error("read", path, error) from None
    if len(content) > MAX_BYTES:
        raise CodeError(f"{path}: larger than {MAX_BYTES:,} bytes, so not a file of code")
    try:
        # Windows' editors put a mark in front.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CodeError(f"{path}: not UTF-8 text, so not a file of code") from None


def parse(text: str, path: Path) -> ast.Module:
    """Return the syntax tree. Raises CodeError with the line that is no Python."""
    try:
        return ast.parse(text, str(path))
    except SyntaxError as error:
        line = f": {error.text.strip()}" if error.text else ""
        raise CodeError(f"{path}:{error.lineno}: {error.msg}{line}") from None
    except (ValueError, RecursionError, MemoryError):
        raise CodeError(f"{path}: not Python that can be read") from None


def imported(tree: ast.Module) -> Iterator[tuple[ast.Import | ast.ImportFrom, str, int]]:
    """Yield every import: its node, the dotted name that it wants, and how many dots lead it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module:
                yield node, node.module, node.level
            else:
                yield from ((node, alias.name, node.level) for alias in node.names)


def _beside(path: Path, tree: ast.Module) -> list[Path]:
    """List the files beside `path` that it imports. Raises CodeError for what cannot be taken."""
    found = []
    for node, name, dots in imported(tree):
        top, _, rest = name.partition(".")
        file, folder = path.parent / f"{top}.py", path.parent / top
        at = f"{path}:{node.lineno}"
        if dots > 1:
            raise CodeError(
                f"{at}: imports from a folder above; put what it needs beside {path.name}"
            )
        local = file.is_file() or (folder.is_dir() and (dots or any(folder.glob("*.py"))))
        if not local or (not dots and not file.is_file() and is_taken(top, path.parent)):
            continue
        if rest or not file.is_file():
            raise CodeError(
                f"{at}: imports from the folder {top}/, and only single files go along with a run; "
                f"put what it needs into a file beside {path.name}"
            )
        if not dots and is_taken(top, path.parent):
            raise CodeError(
                f"{at}: {top} is a module of Python or of a package, and {file.name} lies beside "
                f"{path.name}, too; call that file otherwise"
            )
        found.append(file)
    return found


def is_taken(top: str, folder: Path) -> bool:
    """Say whether `import top` finds something else than what lies in `folder`."""
    if top in sys.stdlib_module_names:
        return True
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return False
    if spec is None:
        return False
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or ())
    return not any(folder.resolve() in Path(place).resolve().parents for place in places)
