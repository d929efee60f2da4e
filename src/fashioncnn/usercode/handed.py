"""A network that a Python program hands in, as what a recipe says of it."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from torch import nn

from fashioncnn.errors import CodeError
from fashioncnn.usercode.part import parameters

# What a network is given by name, where it takes that; it is of the pictures, not of the recipe.
GIVEN = ("in_channels", "image_size", "classes")


def as_changes(model: object) -> dict[str, Any]:
    """Return what a recipe says of `model`: its file and name, and its keywords.

    `model` is a class of nn.Module, a function that makes one, a functools.partial of either, or
    a network. Of a network, the keywords are read from its attributes of the same names, and have
    to make a network with the same weights' shapes. Raises CodeError where that cannot be.
    """
    keywords: dict[str, Any] = {}
    if isinstance(model, functools.partial):
        if model.args:
            raise CodeError("model: give the arguments of a functools.partial by name")
        keywords = dict(model.keywords)
        model = model.func
    if isinstance(model, nn.Module):
        keywords = _read_from(model)
        model = type(model)
    if not inspect.isclass(model) and not inspect.isfunction(model):
        raise CodeError(f"model is a {type(model).__name__}, not a network, a class or a function")
    name = model.__qualname__
    if not name.isidentifier():
        why = "has no name" if "<lambda>" in name else "is made inside a function"
        raise CodeError(f"model {name} {why}; write it with class or def at the top of a file")
    try:
        file = inspect.getsourcefile(model)
    except (TypeError, OSError):
        # Of a cell of a notebook, inspect finds no source.
        file = None
    if not file or not file.endswith(".py"):
        raise CodeError(
            f"model {name} is in no file, and a run keeps its source; write it to one "
            "(%%writefile mine.py in a notebook) and import it from there"
        )
    return {"model.family": f"{file}:{name}"} | {f"model.{key}": keywords[key] for key in keywords}


def _read_from(network: nn.Module) -> dict[str, Any]:
    kind = type(network)
    keywords, remedy = {}, f"hand in the class, model={kind.__name__}, and its keywords by changes"
    for name in parameters(kind)[0]:
        value = getattr(network, name, inspect.Parameter.empty)
        if isinstance(value, tuple):
            value = list(value)
        if name not in GIVEN and isinstance(value, bool | int | float | str | list):
            keywords[name] = value
        elif name not in GIVEN:
            raise CodeError(
                f"{kind.__name__} takes {name}, and does not keep what it was given as "
                f"self.{name}: keep it so, or {remedy}"
            )
    given = {name: getattr(network, name) for name in GIVEN if hasattr(network, name)}
    taken = parameters(kind)[0].keys()
    same = kind(**keywords, **{name: given[name] for name in given.keys() & taken})
    if _shapes(same) != _shapes(network):
        raise CodeError(f"{kind.__name__} does not tell what it was made with: {remedy}")
    return keywords


def _shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}
