"""The console with an annotator signed in: `python -m tests.support.labelling_console`, with LABELLER_NAME, LABELLER_ID
and LABELLER_TOKEN. It stands in for the sign-in, so that the page for labelling can be tried by itself."""

from __future__ import annotations

import os
from typing import Any

from ava_core.annotation.labeller import Labeller
from ava_ui import main
from ava_ui.pages.annotation import labelling as page
from ava_ui.web import labelling as web


def _signed_in(_: Any) -> Labeller:
    return Labeller(os.environ["LABELLER_NAME"], int(os.environ["LABELLER_ID"]), os.environ["LABELLER_TOKEN"])


if __name__ in {"__main__", "__mp_main__"}:
    page.signed_in_labeller = web.signed_in_labeller = _signed_in
    main.serve()
