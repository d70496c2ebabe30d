"""The application: state, routes, and what every answer carries."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request

from ava_core.annotation_server import (
    accounts,
    issues,
    jobs,
    labels,
    organisations,
    problems,
    projects,
    requests,
    tasks,
    uploads,
    webhooks,
)
from ava_core.annotation_server import annotations as job_annotations
from ava_core.annotation_server.access import base_url, hash_password
from ava_core.annotation_server.answers import CvatJSON
from ava_core.annotation_server.doors import Doors
from ava_core.annotation_server.options import LOOPBACK, Options
from ava_core.annotation_server.state import Document, State

VERSION: Final = "2.73.0"
"""The version of CVAT whose behaviour this follows; `cvat-sdk` compares it with its own."""


def create_app(
    home: Path,
    *,
    admin_password: str,
    admin_username: str = "admin",
    options: Options = Options(),
) -> FastAPI:
    """The server over the folder `home`; the administrator's account is made or its password set."""
    app = FastAPI(
        title="Embedded annotation server",
        version=VERSION,
        openapi_url=None,
        default_response_class=CvatJSON,
    )
    app.add_middleware(Doors, hosts=(*LOOPBACK, *options.hosts))
    state = State(home, options)
    app.state.store = state
    _ensure_admin(state, admin_username, admin_password)
    for part in (
        accounts,
        organisations,
        projects,
        tasks,
        uploads,
        requests,
        labels,
        jobs,
        job_annotations,
        issues,
        webhooks,
    ):
        app.include_router(part.router)
    problems.install(app)

    @app.get("/api/server/about")
    def about(request: Request) -> Document:
        return {
            "name": "Embedded annotation server",
            "description": "Speaks the part of CVAT's API that the AVA platform uses.",
            "version": VERSION,
            "logo_url": f"{base_url(request)}/static/logo.svg",
            "subtitle": "AVA platform",
        }

    return app


def _ensure_admin(state: State, username: str, password: str) -> None:
    with state.lock:
        admin = next(state.find("user", username=username), None)
        if admin is None:
            accounts.add_user(state, username, password, email=f"{username}@localhost", superuser=True)
        else:
            admin["password"] = hash_password(password)
            state.put("user", admin)
