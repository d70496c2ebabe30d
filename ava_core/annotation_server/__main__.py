"""Runs the embedded annotation server: `python -m ava_core.annotation_server --home DIR --port 8502`.

The administrator's name and password are given in `AVA_CVAT_USERNAME` and `AVA_CVAT_PASSWORD`: a list of processes
shows arguments to everybody, an environment to its owner alone.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import uvicorn

from ava_core.annotation_server import create_app


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(prog="python -m ava_core.annotation_server", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="folder of all state")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8502)
    options = parser.parse_args()
    password = os.environ.get("AVA_CVAT_PASSWORD", "")
    if not password:
        parser.error("AVA_CVAT_PASSWORD is not set: give the administrator's password in it")
    username = os.environ.get("AVA_CVAT_USERNAME") or "admin"
    app = create_app(options.home, admin_username=username, admin_password=password)
    print(f"annotation server on http://{options.host}:{options.port}", flush=True)
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
