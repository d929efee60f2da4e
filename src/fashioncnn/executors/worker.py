"""A process that works for an executor: told one job by its standard input, it answers by lines."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from fashioncnn.errors import FashionCNNError
from fashioncnn.executors.messages import pack_error, receive, send

POLL_SECONDS = 1.0


def main() -> None:
    """Do the job. What it prints goes to standard error: the output is for messages."""
    answers, sys.stdout = sys.stdout, sys.stderr
    told = receive(sys.stdin)
    if told is None:
        return
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()

    def report(value: Any) -> bool:
        send(answers, {"report": value})
        verdict = receive(sys.stdin)
        return verdict is None or bool(verdict["give_up"])

    function: Any = importlib.import_module(told["module"])
    for name in told["function"].split("."):
        function = getattr(function, name)
    try:
        value = function(Path(told["folder"]), report, *told["arguments"])
    except FashionCNNError as error:
        send(answers, pack_error(error))
    else:
        send(answers, {"value": value})


def _end_with(parent: int) -> None:
    """Stop, as by the user, when the process that told us the job is gone."""
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
