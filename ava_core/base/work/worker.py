"""A worker process: takes units one by one, and tells what became of them."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from multiprocessing.connection import Connection
from typing import Any, Final

from ava_core.base.work.cores import keep_to
from ava_core.base.work.runner import attempt

TIDY_S: Final = 5.0
"""How long a worker whose parent is gone may tidy up."""


def main(line: int, cores: list[int]) -> None:
    """Work for whoever holds the other end of the pipe `line`, on these cores."""
    keep_to(cores)
    # Ctrl-C reaches everybody in the terminal; the parent alone says what is to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_end_with_parent, name="lifeline", daemon=True).start()
    with Connection(line) as parent, contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            _serve(parent)
        except EOFError:
            return
        except Exception as error:
            parent.send(("raised", portable(error)))


def _serve(parent: Any) -> None:
    def advance(units: float = 1.0, /) -> None:
        parent.send(("advance", units))

    work = parent.recv()
    parent.send(("ready", None))
    while True:
        parent.send(("done", attempt(work, parent.recv(), advance)))


def _leave(*_: object) -> None:
    sys.exit(128 + signal.SIGTERM)


def _end_with_parent() -> None:
    """Standard input ends when the parent does, however it ends."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(TIDY_S)
    os._exit(1)


def portable(error: Exception) -> Exception:
    """The error as it can be sent, with where it came from."""
    with contextlib.suppress(Exception):
        copy: Exception = pickle.loads(pickle.dumps(error))  # noqa: S301 - pickled a moment ago
        copy.add_note("".join(traceback.format_exception(error)))
        return copy
    return RuntimeError("".join(traceback.format_exception(error)))
