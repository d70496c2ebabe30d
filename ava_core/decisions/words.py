"""A decision as people tell it: by whom, on what, when, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ava_core.decisions.presence import PRESENCE
from ava_core.store.tables import Decision, now

DID: Final = {
    "approve": "approved {on}", "reject": "rejected {on}", "reopen": "reopened {on}",
    "exclude": "left {on} out", "include": "took {on} in again", "adjudicate": "settled {on}",
}  # fmt: skip

MINUTE, HOUR, DAY = 60, 3600, 86400
"""In seconds."""


def told(decision: Decision, at: datetime | None = None) -> str:
    """In words, as seen at a moment (now): "lead rejected clip_0000 a minute ago: 'boxes drift'."."""
    did = DID.get(decision.action, "{on}").format(on=_subject(decision))
    why = f": '{decision.comment.strip()}'" if decision.comment.strip() else ""
    return f"{decision.actor} {did} {ago(decision.decided_at, at)}{why}."


def told_newest(decided: Sequence[Decision]) -> str:
    """The last of several in words, and how many more there are."""
    more = f" ({len(decided) - 1} more were decided on.)" if len(decided) > 1 else ""
    return told(decided[-1]) + more


def ago(moment: datetime, at: datetime | None = None) -> str:
    """How long ago a moment is: "just now", "a minute ago", "3 hours ago"; after a day its date, in UTC."""
    seconds = ((at or now()) - moment).total_seconds()
    if seconds >= DAY:
        return f"on {moment:%Y-%m-%d %H:%M}"
    if seconds < MINUTE / 2:
        return "just now"
    if seconds < HOUR - MINUTE / 2:
        minutes = max(1, round(seconds / MINUTE))
        return "a minute ago" if minutes == 1 else f"{minutes} minutes ago"
    hours = max(1, round(seconds / HOUR))
    return "an hour ago" if hours == 1 else f"{hours} hours ago"


def _subject(decision: Decision) -> str:
    """What was decided on; of gold clips and experts, with what was done to it, since both have two ways."""
    after, subject = decision.after, decision.subject
    if decision.action == "adjudicate":
        asked = "the presence" if after["group"] == PRESENCE else after["group"]
        return f"{asked} of person {after['person_id']} of {after['clip_id']} at second {after['second']}"
    if decision.action == "gold":
        expert = after["expert"]
        return f"made {subject} gold with the work of {expert}" if expert else f"removed {subject} from gold"
    if decision.action == "pair":
        one, other = after["annotators"]
        judged = "independent of each other" if after["independent"] else "one vote"
        return f"judged {one} and {other} {judged}"
    if decision.action == "expert":
        expert = after["expert"]
        return f"gave {subject} to {expert}" if expert else f"withdrew {subject} from its expert"
    return subject
