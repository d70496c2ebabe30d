"""What the page for labelling asks of the console while somebody practises: the same as of a job, kept apart."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ava_core.annotation.practice.desk import PracticeDesk, practice_clip
from ava_core.base.errors import CvatLoginError
from ava_ui import addresses
from ava_ui.frame.labeller import signed_in_labeller
from ava_ui.known.console import Console
from ava_ui.known.labelling import practice_document
from ava_ui.web.labelling import ActiveTime, NewState, Save, answered


def routes(console: Console) -> APIRouter:
    """All addresses below a practice clip's."""
    router = APIRouter(prefix=addresses.PRACTISING)

    def desk(request: Request, practice_id: int) -> PracticeDesk:
        labeller = signed_in_labeller(request.state)
        if labeller is None:
            raise CvatLoginError("You have not signed in as an annotator.", "Sign in again.")
        clip = practice_clip(console.store, practice_id, labeller.user_name)
        return PracticeDesk(console.store, clip, console.ontology(clip.batch), labeller.user_name)

    @router.get("/sheet")
    def sheet(request: Request, practice_id: int) -> Response:
        return answered(lambda: practice_document(console, desk(request, practice_id)))

    @router.post("/save")
    def save(request: Request, practice_id: int, body: Save) -> Response:
        edits = [edit.model_dump(mode="json") for edit in body.edits]
        return answered(lambda: desk(request, practice_id).save(edits))

    @router.post("/state")
    def state(request: Request, practice_id: int, body: NewState) -> Response:
        return answered(lambda: desk(request, practice_id).set_state(body.state))

    @router.post("/active")
    def active(request: Request, practice_id: int, body: ActiveTime) -> Response:
        """Practice is no work: its time is not kept."""
        return answered(lambda: desk(request, practice_id) and {})

    return router
