"""What a check found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

from fashioncnn.errors import FashionCNNError
from fashioncnn.usercode.faults import in_words, told_by_lines

Verdict = Literal["good", "note", "bad"]
S = TypeVar("S")


@dataclass(frozen=True)
class Finding:
    """One check: `told` says what is so, and `remedy` what helps. A note is no fault."""

    check: str
    verdict: Verdict
    told: str = ""
    remedy: str = ""


class Problem(Exception):
    """A check fails: what is so, and what helps. With `note`, it is no fault."""

    def __init__(self, told: str, remedy: str = "", note: bool = False) -> None:
        super().__init__(told)
        self.remedy = remedy
        self.note = note


# Looks at a subject and raises Problem. What it looks at is the first line of its docstring.
Check = Callable[[S], None]


def look(checks: Iterable[Check[S]], subject: S) -> list[Finding]:
    """Run every check on `subject`; an error in one is what that one found."""
    return [_found(check, subject) for check in checks]


def _found(check: Check[S], subject: S) -> Finding:
    name = str(check.__doc__).splitlines()[0].rstrip(".")
    try:
        check(subject)
    except Problem as problem:
        verdict: Verdict = "note" if problem.note else "bad"
        return Finding(name, verdict, str(problem), problem.remedy)
    except FashionCNNError as error:
        return Finding(name, "bad", str(error))
    except Exception as error:
        return Finding(name, "bad", told_by_lines(error) or in_words(error))
    return Finding(name, "good")
