"""Runs the embedded annotation server: `python -m ava_core.annotation_server --home DIR --port 8502`.

The administrator's name and password are given in `AVA_CVAT_USERNAME` and `AVA_CVAT_PASSWORD`: a list of processes
shows arguments to everybody, an environment to its owner alone.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

import uvicorn

from ava_core.annotation_server import create_app
from ava_core.annotation_server.lock import HomeInUse, locked
from ava_core.annotation_server.options import CONSOLE_PORT, Options, console_at

GIB = 2**30
WAKE_SECONDS = 0.5
EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104
"""Addresses to listen on that are no names."""


def main() -> None:
    """Serve until ended."""
    given = _arguments()
    password = os.environ.get("AVA_CVAT_PASSWORD", "")
    if not password:
        sys.exit("AVA_CVAT_PASSWORD is not set: give the administrator's password in it.")
    username = os.environ.get("AVA_CVAT_USERNAME") or "admin"
    options = Options(
        registration=given.registration,
        hosts=(*given.allow_host, *({given.host} - EVERYWHERE)),
        webhook_receivers=(*console_at(given.console_port), *given.webhook_receiver),
        task_bytes=round(given.task_gib * GIB),
    )
    os.umask(0o077)  # annotations and media are their owner's alone
    try:
        with locked(given.home):
            app = create_app(given.home, admin_username=username, admin_password=password, options=options)
            print(f"annotation server on http://{given.host}:{given.port}", flush=True)
            uvicorn.Server.main_loop = _until_told  # type: ignore[assignment,method-assign]
            uvicorn.run(app, host=given.host, port=given.port, log_level="warning", access_log=False)
    except HomeInUse as error:
        sys.exit(str(error))


async def _until_told(server: uvicorn.Server) -> None:
    """Look twice a second whether the server is to end: uvicorn's ten times cost an idle machine more than all else."""
    ticks = 0
    while not await server.on_tick(ticks):
        ticks += 10  # with each look it renews what it says of the time, which is every tenth of its own
        await asyncio.sleep(WAKE_SECONDS)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ava_core.annotation_server", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="folder of all state")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8502)
    parser.add_argument("--registration", action="store_true", help="let anybody make an account")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name beyond loopback to answer to",
    )
    parser.add_argument(
        "--console-port",
        type=int,
        default=CONSOLE_PORT,
        help="port of this machine's console, which webhooks may call",
    )
    parser.add_argument(
        "--webhook-receiver", action="append", default=[], metavar="HOST[:PORT]",
        help="another private address that webhooks may call; public ones they always may",
    )  # fmt: skip
    parser.add_argument(
        "--task-gib", type=float, default=Options.task_bytes / GIB, help="what a task's media may take"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
