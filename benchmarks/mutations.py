"""Small faults for mutants.py: each changes one expression or statement of a file."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Functions that answer the same when their first two arguments are exchanged.
SYMMETRIC = (
    *("min(", "max(", "torch.minimum(", "torch.maximum(", "np.minimum(", "np.maximum("),
    *("np.array_equal(", "torch.equal("),
)
# Guards of what never happens, which no test can see.
GUARDS = ("frozen=True", "strict=True")
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.MatMult: ast.Mult,
}


@dataclass(frozen=True)
class Mutant:
    """One fault: the file, the line, and what stands there now.

    What is not `in_function` runs once, when the file is imported.
    """

    file: str
    line: int
    before: str
    after: str
    in_function: bool

    @property
    def changes_nothing(self) -> bool:
        """Whether it says the same as before, as far as anybody can see."""
        exchanged = self.before.startswith(SYMMETRIC) and self.after.startswith(SYMMETRIC)
        return exchanged or self.before == self.after or self.before in GUARDS


def all_mutants(root: Path, file: Path) -> Iterator[tuple[Mutant, str]]:
    """Yield every mutant of `file`, a path below `root`, with the whole text that it then has."""
    tree = ast.parse((root / file).read_text())
    in_functions = {
        line
        for one in ast.walk(tree)
        if isinstance(one, ast.FunctionDef)
        for line in range(one.body[0].lineno, (one.end_lineno or one.lineno) + 1)
    }
    places = [
        (parent, name, at, node)
        for parent in ast.walk(tree)
        for name, value in ast.iter_fields(parent)
        for at, node in enumerate(value if isinstance(value, list) else [value])
        if isinstance(node, ast.AST) and hasattr(node, "lineno") and not _is_annotation(name)
    ]
    for parent, name, at, node in places:
        for changed in _mutations(node):
            ast.copy_location(changed, node)
            held = getattr(parent, name)
            _put(parent, name, at, changed)
            try:
                text = ast.unparse(ast.fix_missing_locations(tree))
            finally:
                if isinstance(held, list):
                    held[at] = node
                else:
                    setattr(parent, name, node)
            named = f"{parent.arg}=" if isinstance(parent, ast.keyword) else ""
            before, after = (
                f"{named}{ast.unparse(one).splitlines()[0][:80]}" for one in (node, changed)
            )
            line: int = node.lineno  # type: ignore[attr-defined]
            yield Mutant(str(file), line, before, after, line in in_functions), text


def _mutations(node: ast.AST) -> Iterator[ast.AST]:
    """Yield `node` with one fault each; nothing for what has none to offer."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        yield _with(node, ops=[COMPARISONS[type(node.ops[0])](), *node.ops[1:]])
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield _with(node, op=OPERATORS[type(node.op)]())
    if isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        yield node.values[0]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand
    if isinstance(node, ast.Constant) and _is_number(node.value):
        assert isinstance(node.value, int | float)
        yield ast.Constant(node.value + 1)
        if node.value:
            yield ast.Constant(0)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield ast.Pass()
    if isinstance(node, ast.Raise | ast.AugAssign):
        yield ast.Pass()
    if isinstance(node, ast.Call) and len(node.args) >= 2:
        yield _with(node, args=[node.args[1], node.args[0], *node.args[2:]])
    if isinstance(node, ast.Return) and node.value is not None:
        yield _with(node, value=ast.Constant(None))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _with(node: ast.AST, **changes: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed


def _is_annotation(name: str) -> bool:
    return name in ("annotation", "returns", "decorator_list")


def _put(parent: ast.AST, name: str, at: int, node: ast.AST) -> None:
    held = getattr(parent, name)
    if isinstance(held, list):
        held[at] = node
    else:
        setattr(parent, name, node)
