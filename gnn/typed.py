"""Dataclasses from what JSON and TOML files say, with every mistake named by its file and key."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from data.errors import DrivAerError

T = TypeVar("T")


def from_mapping(
    kind: type[T],
    given: Mapping[str, Any],
    *,
    file: Path | None = None,
    error: type[DrivAerError] = DrivAerError,
    fix: str = "",
    key: str = "",
) -> T:
    """A dataclass whose fields are read from ``given``, nested dataclasses from nested mappings.

    Understood are int, float, str, bool, Literal, tuple[X, ...], dict, dataclasses, and X | None. An int is taken for a
    float, a list for a tuple.
    key: where in the file ``given`` stands. fix: what to do where no nearest key can be named.

    Raises:
        error: a key is unknown or missing, or a value is of another kind.
    """

    def wrong(what: str, fix: str = fix) -> DrivAerError:
        return error(what, file=file, fix=fix)

    if not isinstance(given, Mapping):
        raise wrong(f"{key or 'it'} = {given!r} must be a table of keys")
    hints = get_type_hints(kind)
    own = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    values = {}
    for name, value in given.items():
        if name not in own:
            near = difflib.get_close_matches(name, own, n=1)
            raise wrong(f"unknown key {_joined(key, name)}", f"did you mean {near[0]}?" if near else fix)
        values[name] = _value(hints[name], value, _joined(key, name), wrong, file=file, error=error, fix=fix)
    for name, field in own.items():
        if name not in given and field.default is MISSING and field.default_factory is MISSING:
            raise wrong(f"{_joined(key, name)} is missing")
    return kind(**values)


def _value(kind: Any, value: Any, key: str, wrong: Any, **how: Any) -> Any:
    origin, choices = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if value is None and NoneType in choices:
            return None
        (kind,) = (choice for choice in choices if choice is not NoneType)
        return _value(kind, value, key, wrong, **how)
    if origin is Literal:
        if value not in choices:
            raise wrong(f"{key} = {value!r} must be {' | '.join(map(str, choices))}", "")
        return value
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise wrong(f"{key} = {value!r} must be a list", "")
        return tuple(_value(choices[0], item, f"{key}[{i}]", wrong, **how) for i, item in enumerate(value))
    if is_dataclass(kind):
        of: Any = kind
        return from_mapping(of, value, key=key, **how)
    plain = origin or kind
    if plain is float and type(value) is int:
        return float(value)
    if type(value) is not plain:
        raise wrong(f"{key} = {value!r} must be {_WORDS.get(plain, plain.__name__)}", "")
    return value


_WORDS = {float: "a float", int: "an int", str: "a str", bool: "a bool", dict: "a table of keys"}


def _joined(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
