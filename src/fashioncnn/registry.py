"""Registries: things of one kind by name, which others may add to from outside the package."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from fashioncnn.settings import Settings

T = TypeVar("T")
S = TypeVar("S", bound=Settings)

# What stands for the parts of a user's own, which have no names that we know.
OWN = "FILE.py:NAME"


class Registry(Mapping[str, T], Generic[T]):
    """`entries` by the name that `name_of` finds; `register` adds one.

    `version` counts the changes, so that what was made of the entries can be made anew. Raises
    ValueError for two entries of one name.
    """

    def __init__(self, name_of: Callable[[T], str], entries: Iterable[T] = ()) -> None:
        self._name_of = name_of
        self._entries: dict[str, T] = {}
        self.version = 0
        for entry in entries:
            if (name := name_of(entry)) in self._entries:
                raise ValueError(f"two entries are called {name!r}")
            self.register(entry)

    def register(self, entry: T) -> T:
        """Add `entry`, in place of an earlier one of its name, and return it."""
        self._entries[self._name_of(entry)] = entry
        self.version += 1
        return entry

    def unregister(self, name: str) -> None:
        """Take the entry `name` out."""
        del self._entries[name]
        self.version += 1

    def __getitem__(self, name: str) -> T:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


class Choices(Registry[type[S]]):
    """Tables of settings, one of which a recipe chooses by the key `tag`; the first is the default.

    Each table has `tag` as a field whose default is its name. `own` is the table of parts of a
    user's own, which are named as in "mine.py:MyNet".
    """

    def __init__(self, tag: str, entries: Iterable[type[S]], own: type[S]) -> None:
        self.tag = tag
        self.own = own
        super().__init__(lambda table: str(table.model_fields[tag].default), entries)

    def chosen(self, table: object) -> str:
        """Return which entry `table`, a dict or already settings, chooses."""
        default = next(iter(self))
        if isinstance(table, dict):
            name = table.get(self.tag, default)
        else:
            name = getattr(table, self.tag, default)
        if not isinstance(name, str):
            return ""
        return OWN if is_own(name) else name

    def table(self, name: str) -> type[S] | None:
        """Return the settings that `chosen` named, if there are such."""
        return self.own if name == OWN else self.get(name)


def is_own(name: object) -> bool:
    """Say whether `name` is meant as a part of a user's own, as "mine.py:MyNet"."""
    return isinstance(name, str) and ".py" in name


@dataclass(frozen=True)
class OneOf:
    """Annotates a field that holds one of the settings that `choices` has when it is validated."""

    choices: Choices[Any]

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        del source
        every = {**self.choices, OWN: self.choices.own}
        tables = {name: handler.generate_schema(table) for name, table in every.items()}
        return core_schema.tagged_union_schema(tables, discriminator=self.choices.chosen)


@dataclass(frozen=True)
class MadeBy:
    """Annotates a field whose settings `make` puts together from a registry."""

    make: Callable[[], type[Settings]]

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        del source
        return handler.generate_schema(self.make())
