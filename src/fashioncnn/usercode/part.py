"""A part of a recipe that a user's file builds: `file.py:Name`, and keywords for it."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, Field, PrivateAttr

from fashioncnn.errors import CodeError
from fashioncnn.usercode import modules
from fashioncnn.usercode.source import Digests

ADDRESS = r"^([^:\n]{1,200}[/\\])?[A-Za-z_][A-Za-z0-9_]{0,63}\.py:[A-Za-z_][A-Za-z0-9_]{0,63}$"
Address = Annotated[str, Field(pattern=ADDRESS)]
Plain = bool | int | float | str
Keyword = Plain | list[Plain] | list[list[Plain]]

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class OwnPart(BaseModel):
    """Settings of a part of one's own: keys that the table does not know are keywords for it.

    `address` says where it is; the recipe tells it the digests of its files.
    """

    __pydantic_extra__: dict[str, Keyword]  # with extra="allow" in each class

    _code: Digests = PrivateAttr(default_factory=dict)

    @property
    def address(self) -> str:
        """Where it is, as in "mine.py:MyNet"."""
        raise NotImplementedError

    def with_code(self, code: Digests) -> None:
        """Take note of the files that the recipe is of."""
        self._code = code

    @property
    def keywords(self) -> dict[str, Any]:
        """What the recipe hands to it."""
        return dict(self.__pydantic_extra__ or {})

    @property
    def target(self) -> Callable[..., Any]:
        """The class or function. Raises TrustError, CodeError."""
        found = modules.find(self._code, self.address)
        if not callable(found):
            raise CodeError(f"{self.address} is {type(found).__name__}, not a class or a function")
        return found  # type: ignore[no-any-return]

    @property
    def by_place(self) -> int:
        """How many arguments we give it by place, before the keywords."""
        return 0

    @property
    def offered(self) -> tuple[str, ...]:
        """What we give it by name, where it takes that."""
        return ()

    def misfit(self) -> str | None:
        """Say which keyword the class or function does not take, or lacks; None if it fits."""
        taken, takes_any = parameters(self.target)
        taken = dict(list(taken.items())[self.by_place :])
        name = self.address.partition(":")[2]
        for keyword in self.keywords:
            if keyword in taken or takes_any:
                continue
            near = difflib.get_close_matches(keyword, taken, 1)
            own = ", ".join(one for one in taken if one not in self.offered) or "no keywords"
            hint = f"did you mean {near[0]}?" if near else f"it takes {own}"
            return f"{name} takes no {keyword}; {hint}"
        for one, parameter in taken.items():
            needed = parameter.default is inspect.Parameter.empty
            if needed and one not in self.keywords and one not in self.offered:
                return f"{name} needs {one}, which the recipe does not give"
        return None

    def called(self, *by_place: Any, **offered: Any) -> Any:
        """Call it with what it takes of `offered`, and with the recipe's keywords."""
        target = self.target
        taken, _ = parameters(target)
        given = {key: one for key, one in offered.items() if key in taken}
        return target(*by_place, **{**given, **self.keywords})

    def function(self, **offered: Any) -> Callable[..., Any]:
        """Return what is to be called with the `by_place` arguments: an object, or the function."""
        if inspect.isclass(self.target):
            return self.called(**offered)  # type: ignore[no-any-return]
        taken, _ = parameters(self.target)
        given = {key: one for key, one in offered.items() if key in taken}
        return functools.partial(self.target, **{**given, **self.keywords})

    def by_place_of_function(self, count: int) -> int:
        """Return `count` for a function, 0 for a class, whose objects are called with them."""
        return 0 if inspect.isclass(self.target) else count


class NamedOwnPart(OwnPart):
    """Settings whose table says by `name` where the part is."""

    name: Address

    @property
    def address(self) -> str:
        """See OwnPart."""
        return self.name


def parameters(target: Callable[..., Any]) -> tuple[dict[str, inspect.Parameter], bool]:
    """Return what can be given by name, and whether anything can."""
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return {}, True
    every = signature.parameters.values()
    takes_any = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in every)
    return {one.name: one for one in every if one.kind in _NAMED}, takes_any
