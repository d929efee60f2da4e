"""Entry: runs a verb; every error is one clear line and an exit status."""

from __future__ import annotations

import os
import sys

from fashioncnn.cli import verbs
from fashioncnn.errors import FashionCNNError, ProcessLost, Stopped

STOPPED = Stopped.exit_status


def main() -> None:
    """Run the command line and end the process: 0 done, 2 wrong input, 130 stopped."""
    import typer

    try:
        status = typer.main.get_command(verbs.app)(standalone_mode=False)
        status = status if isinstance(status, int) else 0
        if status == STOPPED:
            # Typer turns Ctrl-C into this, without a word.
            status = _fail("stopped", STOPPED)
    except ProcessLost as error:
        status = _fail(f"error: {error}\ngo on with: {_resume_command()}", error.exit_status, True)
    except Stopped as stopped:
        status = _fail(f"{stopped}\ngo on with: {_resume_command()}", stopped.exit_status)
    except FashionCNNError as error:
        status = _fail(f"error: {error}", error.exit_status)
    except KeyboardInterrupt:
        status = _fail("stopped", STOPPED)
    except BrokenPipeError:
        # The reader of our output went away, as `head` does; that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except OSError as error:
        status = _fail(f"error: {error.filename or 'input/output'}: {error.strerror}", 2)
    except typer.Abort:
        status = _fail("stopped", STOPPED)
    except Exception as error:
        # Typer's own complaints about the words typed carry a message for people.
        if not hasattr(error, "format_message"):
            raise
        status = _fail(f"error: {error.format_message()} (see --help)", 2)
    sys.exit(status)


def _fail(line: str, status: int, every_process: bool = False) -> int:
    # What ends one of torchrun's processes ends all, but is said once.
    if every_process or os.environ.get("LOCAL_RANK", "0") == "0":
        print(line, file=sys.stderr)  # noqa: T201
    return status


def _resume_command() -> str:
    from fashioncnn.runs.provenance import command

    typed = command()
    return typed if "--resume" in typed.split() else f"{typed} --resume"
