"""A process that works for an executor: told jobs by its standard input, it answers by lines."""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

from fashioncnn import standard_output
from fashioncnn.errors import FashionCNNError
from fashioncnn.executors.messages import Message, pack_error, receive, send

POLL_SECONDS = 1.0


def main() -> None:
    """Do jobs until there are no more. What they print goes to standard error."""
    # Ctrl-C reaches all processes of a terminal: whoever told us the job will end us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = io.TextIOWrapper(standard_output.taken(), "utf-8")
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    while told := receive(sys.stdin):
        send(answers, _answer(told, answers))


def _answer(told: Message, answers: IO[str]) -> Message:
    def report(value: Any) -> bool:
        send(answers, {"report": value})
        verdict = receive(sys.stdin)
        return verdict is None or bool(verdict["give_up"])

    function: Any = importlib.import_module(told["module"])
    for name in told["function"].split("."):
        function = getattr(function, name)
    try:
        return {"value": function(Path(told["folder"]), report, *told["arguments"])}
    except FashionCNNError as error:
        return pack_error(error)


def _end_with(parent: int) -> None:
    """Stop, as by the user, when the process that tells us jobs is gone."""
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
