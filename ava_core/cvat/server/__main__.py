"""Runs the embedded annotation server: `python -m ava_core.cvat.server --home DIR --port 8502`."""

from __future__ import annotations

import argparse
from pathlib import Path

import uvicorn

from ava_core.cvat.server import create_app, embedded_password
from ava_core.settings import load_settings


def main() -> None:
    """Serve until ended; the administrator's password comes from the settings or from the folder."""
    parser = argparse.ArgumentParser(prog="python -m ava_core.cvat.server", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="folder of all state")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8502)
    options = parser.parse_args()
    settings = load_settings()
    password = settings.cvat_password.get_secret_value() if settings.cvat_password else ""
    app = create_app(
        options.home,
        admin_username=settings.cvat_username,
        admin_password=password or embedded_password(options.home),
    )
    print(f"annotation server on http://{options.host}:{options.port}", flush=True)
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
