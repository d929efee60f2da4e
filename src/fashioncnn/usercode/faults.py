"""Errors in a user's own code, told by the user's own lines, with a remedy where one is known."""

from __future__ import annotations

import linecache
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from fashioncnn.errors import CodeError, FashionCNNError

# Modules of a user's files are called so, then comes their digest.
PREFIX = "fashioncnn_user_"
MAX_FRAMES = 8
MAX_MESSAGE = 400

# What an error says, and what helps.
REMEDIES = (
    (r"No module named '([\w.]+)'", "install {0}, or put {0}.py beside your file"),
    (
        r"NVIDIA driver|not compiled with CUDA|No HIP GPUs|torch\.cuda",
        "leave the device to fashioncnn: write no .cuda() and no device='cuda'",
    ),
    (
        r"mat1 and mat2 shapes cannot be multiplied",
        "a dense layer is given another number of features than it was made for",
    ),
    (
        r"expected input\[.*to have (\d+) channels, but got (\d+)",
        "a convolution is given {1} channels and was made for {0}",
    ),
    (
        r"Expected more than 1 value per channel when training",
        "batch norm cannot learn from one picture",
    ),
    (
        r"modified by an inplace operation|in-place operation",
        "change a copy: x = x + y in place of x += y",
    ),
    (r"unexpected keyword argument '(\w+)'", "it takes no {0}"),
)


@contextmanager
def user_code(what: str = "") -> Iterator[None]:
    """Turn an error that passed through a user's code into CodeError with the lines of it.

    Where `what` of the user's is called directly, any error is its own: with wrong arguments, no
    line of it is reached.
    """
    try:
        yield
    except FashionCNNError:
        raise
    except SystemExit:
        raise CodeError(
            f"{what or 'your own code'} ends the program: take sys.exit() out"
        ) from None
    except Exception as error:
        told = told_by_lines(error)
        if told or what:
            raise CodeError(told or f"{what}: {in_words(error)}") from None
        raise


def told_by_lines(error: BaseException) -> str | None:
    """Say what went wrong and where in the user's files, innermost last; None if not there."""
    frames = user_frames(error.__traceback__)
    if not frames:
        return None
    lines = [
        f"{path}:{number} in {function}: {linecache.getline(path, number).strip()}"
        for path, number, function in frames[-MAX_FRAMES:]
    ]
    return "\n  ".join([in_words(error), *lines])


def in_words(error: BaseException) -> str:
    """Return kind and message of an error in a line, and what helps where that is known."""
    message = " ".join(str(error).split())[:MAX_MESSAGE]
    told = f"{type(error).__name__}: {message}" if message else type(error).__name__
    for pattern, words in REMEDIES:
        if found := re.search(pattern, message):
            return f"{told} ({words.format(*found.groups())})"
    return told


def user_frames(trace: TracebackType | None) -> list[tuple[str, int, str]]:
    """List path, line and function of the frames that are a user's own, outermost first."""
    return [
        (frame.f_code.co_filename, number, frame.f_code.co_name)
        for frame, number in traceback.walk_tb(trace)
        if str(frame.f_globals.get("__name__", "")).startswith(PREFIX)
    ]
