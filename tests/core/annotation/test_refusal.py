"""What the server says when it refuses reaches people as sentences, whatever form it has."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ava_core.annotation.refusal import LONGEST, reason_in
from ava_core.annotation.session import CvatLostError, CvatMissingError
from ava_core.base.errors import CvatError
from tests.support.annotation_site import AnnotationSite

PAGE_404 = b"""<!doctype html><html lang="en"><head><title>Not Found</title><style>h1 {color: red}</style></head>
<body><h1>Not Found</h1><p>The requested resource was not found on this server.</p></body></html>"""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"detail": "Not found."}, "Not found."),
        (["Adding more data is not supported"], "Adding more data is not supported"),
        ({"non_field_errors": ["Wrong."]}, "Wrong."),
        ({"tracks": [{"frame": ["Too small."]}]}, "tracks.frame: Too small."),
        ("plain text,\n of two lines", "plain text, of two lines"),
        ("", ""),
        (None, ""),
        (PAGE_404, "Not Found"),
        ("<html><body><script>x()</script><p>Bad &amp; worse</p></body></html>", "Bad & worse"),
    ],
)
def test_a_refusal_of_any_form_is_a_sentence(body: Any, said: str) -> None:
    assert reason_in(json.dumps(body) if isinstance(body, dict | list) else body) == said


def test_a_refusal_is_no_longer_than_people_read() -> None:
    assert len(reason_in("<html><body>" + "word " * 1000)) <= LONGEST


@pytest.mark.parametrize("status", [400, 404])
def test_no_web_page_is_shown(site: AnnotationSite, status: int) -> None:
    from cvat_sdk.exceptions import ApiException

    error = ApiException(status, "no")
    error.body = PAGE_404
    with site.gateway() as gateway, pytest.raises(CvatError) as caught, gateway._explained("look"):
        raise error
    assert "Not Found" in str(caught.value)
    assert "<" not in str(caught.value)


def test_what_is_gone_is_told_apart_with_its_cure(site: AnnotationSite) -> None:
    with site.gateway() as gateway, pytest.raises(CvatMissingError, match="removed there"):
        gateway.task(4711)


def test_a_value_that_the_client_refuses_is_a_sentence(site: AnnotationSite) -> None:
    with site.gateway() as gateway:
        with pytest.raises(CvatError, match=r"username.*150"):
            gateway.register_annotator("m" * 200, "correct-horse-9", "m@example.org")
        with pytest.raises(CvatError, match="assignee"):
            gateway.set_job(1, assignee="maria")
        with pytest.raises(CvatError, match="int"):
            gateway.job("one")  # type: ignore[arg-type]


def test_an_answer_that_is_not_cvats_may_have_been_lost(site: AnnotationSite) -> None:
    from cvat_sdk.exceptions import ApiTypeError

    with site.gateway() as gateway, pytest.raises(CvatLostError), gateway._explained("sign in"):
        raise ApiTypeError("Invalid type")
