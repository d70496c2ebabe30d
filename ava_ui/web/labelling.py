"""What the page for labelling asks of the console: the console asks the annotation server, as the person who labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from ava_core.annotation.labelling.desk import Desk, job_of
from ava_core.annotation.session import TRANSIENT
from ava_core.annotation.working_time import record_active
from ava_core.base.errors import AvaError, CvatLoginError
from ava_ui import addresses
from ava_ui.frame.labeller import signed_in_labeller
from ava_ui.known.console import Console
from ava_ui.known.labelling import label_document

Frame = Annotated[int, Field(ge=0, lt=2**31 - 1)]
Side = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Key = tuple[Frame, Side, Side, Side, Side, bool]
Answer = list[int] | Literal["cannot tell"]


class Strict(BaseModel):
    """A body that holds nothing else."""

    model_config = ConfigDict(extra="forbid")


class Edit(Strict):
    """One track as the page has it, as `Desk.save` takes it."""

    key: Annotated[str, Field(max_length=40)]
    id: int | None
    base: Annotated[str, Field(max_length=80)]
    gone: bool = False
    seed: Annotated[str, Field(max_length=40)] = ""
    keys: list[Key] = []
    said: dict[str, list[tuple[Frame, Answer]]] = {}


class Save(Strict):
    """Edits of one call."""

    edits: list[Edit]


class NewState(Strict):
    """Finished, or taken up again."""

    state: Literal["in progress", "completed"]


class Active(Strict):
    """Seconds at work on a person, and answers given about them; `action`: the class that was said, 0 for none."""

    track: Annotated[str, Field(max_length=40)]
    action: Annotated[int, Field(ge=0, lt=2**31 - 1)] = 0
    seconds: Annotated[float, Field(ge=0, le=3600)]
    answers: Annotated[int, Field(ge=0)]


class ActiveTime(Strict):
    """Of the last moments, by person."""

    events: list[Active]


def routes(console: Console) -> APIRouter:
    """All addresses below a job's."""
    router = APIRouter(prefix=addresses.LABELLING)

    @contextmanager
    def desk_of(request: Request, job_id: int) -> Iterator[Desk]:
        labeller = signed_in_labeller(request.state)
        if labeller is None:
            raise CvatLoginError("You have not signed in as an annotator.", "Sign in again.")
        job = job_of(console.store, job_id)
        with labeller.connect(console.settings) as gateway:
            yield Desk(gateway, console.store, job, console.ontology(job.batch), labeller.user_name)

    @router.get("/sheet")
    def sheet(request: Request, job_id: int) -> Response:
        def opened() -> Any:
            with desk_of(request, job_id) as desk:
                return label_document(console, desk.job, desk)

        return answered(opened)

    @router.post("/save")
    def save(request: Request, job_id: int, body: Save) -> Response:
        def saved() -> Any:
            with desk_of(request, job_id) as desk:
                return desk.save([edit.model_dump(mode="json") for edit in body.edits])

        return answered(saved)

    @router.post("/state")
    def state(request: Request, job_id: int, body: NewState) -> Response:
        def changed() -> Any:
            with desk_of(request, job_id) as desk:
                return desk.set_state(body.state)

        return answered(changed)

    @router.post("/active")
    def active(request: Request, job_id: int, body: ActiveTime) -> Response:
        def noted() -> Any:
            with desk_of(request, job_id) as desk:
                for event in body.events:
                    record_active(
                        console.store, job_id, desk.user_name, event.track, event.seconds, event.answers,
                        event.action,
                    )  # fmt: skip
            return {}

        return answered(noted)

    return router


def answered(work: Callable[[], Any]) -> Response:
    """What `work` gives; an error for people by a status from which the page knows whether to try again."""
    try:
        return JSONResponse(work())
    except CvatLoginError as error:
        return PlainTextResponse(str(error), 401)
    except TRANSIENT as error:
        return PlainTextResponse(str(error), 503)
    except AvaError as error:
        return PlainTextResponse(str(error), 409)
