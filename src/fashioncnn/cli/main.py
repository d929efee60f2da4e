"""Entry: runs a verb; every error is one clear line and an exit status."""

from __future__ import annotations

import contextlib
import gc
import io
import logging
import os
import signal
import sys

from fashioncnn.cli import verbs
from fashioncnn.errors import FashionCNNError, ProcessLost, Stopped, printable

STOPPED = Stopped.exit_status


def main() -> None:
    """Run the command line and end the process.

    0 done, 1 something went wrong while working, 2 the input is wrong, 130 stopped.
    """
    # Imports make a million objects and no garbage: looking for it took a quarter of the start.
    gc.set_threshold(50_000)
    _prepare_streams()
    if "LOCAL_RANK" not in os.environ:
        # As Ctrl-C: whoever works leaves nothing half-written. torchrun ends processes by it, which
        # still have to say what was lost.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        os.getcwd()  # noqa: PTH109 Path.cwd() asks the same
    except FileNotFoundError:
        # Libraries that look for it end the process in their own way.
        sys.exit(_fail("error: the working directory was deleted", 2))
    status = _run()
    try:
        sys.stdout.flush()
    except OSError:
        # The reader of our output went away, as `head` does; that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    # The system frees memory faster than Python takes it apart.
    gc.freeze()
    sys.exit(status)


def _run() -> int:
    import typer

    try:
        status = typer.main.get_command(verbs.app)(standalone_mode=False)
        status = status if isinstance(status, int) else 0
        # Typer turns Ctrl-C into this, without a word.
        return _fail("stopped", STOPPED) if status == STOPPED else status
    except ProcessLost as error:
        return _fail(f"error: {error}\ngo on with: {_resume_command()}", error.exit_status, True)
    except Stopped as stopped:
        return _fail(f"{stopped}\ngo on with: {_resume_command()}", stopped.exit_status)
    except FashionCNNError as error:
        return _fail(f"error: {error}", error.exit_status)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("stopped", STOPPED)
    except BrokenPipeError:
        return 0
    except SystemExit as ended:
        # Rich's and click's way to say that nobody reads any more; we never end in this way.
        return 0 if ended.code == 1 else int(ended.code or 0)
    except ModuleNotFoundError as error:
        from fashioncnn.extras import missing

        if told := missing(error):
            return _fail(f"error: {told}", told.exit_status)
        raise
    except OSError as error:
        return _fail(f"error: {error.filename or 'input/output'}: {error.strerror or error}", 1)
    except MemoryError:
        return _fail("error: out of memory", 1)
    except Exception as error:
        # Typer's own complaints about the words typed carry a message for people.
        if not hasattr(error, "format_message"):
            raise
        words = " ".join(error.format_message().split()).replace("Value error, ", "")
        return _fail(f"error: {words} (see --help)", 2)


def _prepare_streams() -> None:
    """Let every character be printed in some way, wherever output goes, or nowhere."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # It warns where it cannot write its configuration, which it can do without.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


def _fail(line: str, status: int, every_process: bool = False) -> int:
    # What ends one of torchrun's processes ends all, but is said once.
    if every_process or os.environ.get("LOCAL_RANK", "0") == "0":
        with contextlib.suppress(OSError):
            print(printable(line), file=sys.stderr)  # noqa: T201
    return status


def _resume_command() -> str:
    from fashioncnn.runs.provenance import command

    typed = command()
    return typed if "--resume" in typed.split() else f"{typed} --resume"
