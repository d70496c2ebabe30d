"""Practice: the set of clips, the rule of passing, and every annotator's tries at them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import func, select, update

from ava_core.base.errors import InputError
from ava_core.store import audit_log
from ava_core.store.database import Store
from ava_core.store.tables import Annotator, Job, PracticeClip, PracticeRule, PracticeTry, now

NO_RULE: Final = PracticeRule(pass_mark=0.8, required=False, set_by="")
"""What holds before anybody set it: practice is offered, and nothing waits for it."""


def rule(store: Store) -> PracticeRule:
    """The rule that holds."""
    with store.session() as session:
        return session.scalar(select(PracticeRule).order_by(PracticeRule.rule_id.desc()).limit(1)) or NO_RULE


def set_rule(store: Store, actor: str, *, pass_mark: float, required: bool) -> None:
    """Set the pass mark, a share, and whether new annotators get real work only once they have passed.

    Whoever has completed a job by then is no new annotator. Raises `InputError` for a mark beyond 0 to 1.
    """
    if not 0 < pass_mark <= 1:
        raise InputError(f"A pass mark of {pass_mark:.0%} cannot be.", "Choose one from 1 % to 100 %.")
    experienced = select(Job.annotator).where(Job.of_annotator, Job.is_done)
    with store.session() as session:
        session.add(PracticeRule(pass_mark=pass_mark, required=required, set_by=actor))
        session.execute(
            update(Annotator)
            .where(Annotator.qualified_at.is_(None), Annotator.username.in_(experienced))
            .values(qualified_at=now())
            .execution_options(synchronize_session=False)
        )
    audit_log.note(store, actor, "practice rule", pass_mark=pass_mark, required=required)


def clips(store: Store) -> list[PracticeClip]:
    """The clips of the set, in the order in which they were chosen."""
    wanted = select(PracticeClip).where(PracticeClip.ended_at.is_(None)).order_by(PracticeClip.practice_id)
    with store.session() as session:
        return list(session.scalars(wanted))


def offered(store: Store, annotator: str) -> list[PracticeClip]:
    """The clips on which somebody may practise: not those that they have a job of, which they know."""
    with store.session() as session:
        own = {
            row._tuple()
            for row in session.execute(select(Job.batch, Job.clip_id).where(Job.annotator == annotator))
        }
    return [clip for clip in clips(store) if (clip.batch, clip.clip_id) not in own]


def put(store: Store, clip: PracticeClip) -> None:
    """Take a clip into the set; one of the same clip that is there already ends."""
    with store.session() as session:
        session.execute(
            update(PracticeClip)
            .where(
                PracticeClip.batch == clip.batch,
                PracticeClip.clip_id == clip.clip_id,
                PracticeClip.ended_at.is_(None),
            )
            .values(ended_at=now())
        )
        session.add(clip)
    audit_log.note(store, clip.chosen_by, "practice clip", clip.clip_id, measure=clip.measure)


def end(store: Store, practice_id: int, actor: str) -> None:
    """Take a clip out of the set; tries at it are kept, and count no more."""
    with store.session() as session:
        found = session.get(PracticeClip, practice_id)
        if found is None:
            raise InputError(f"There is no practice clip {practice_id}.", "See the People page.")
        found.ended_at = found.ended_at or now()
        clip_id = found.clip_id
    audit_log.note(store, actor, "end practice clip", clip_id)


def tries(store: Store, annotator: str = "", practice_id: int = 0) -> list[PracticeTry]:
    """Tries, of one annotator or of all, at one clip or at all, by clip, annotator and number."""
    wanted = select(PracticeTry).order_by(PracticeTry.practice_id, PracticeTry.annotator, PracticeTry.number)
    if annotator:
        wanted = wanted.where(PracticeTry.annotator == annotator)
    if practice_id:
        wanted = wanted.where(PracticeTry.practice_id == practice_id)
    with store.session() as session:
        return list(session.scalars(wanted))


def begin(store: Store, clip: PracticeClip, annotator: str, tracks: Sequence[Any]) -> PracticeTry:
    """Another go of an annotator at a clip."""
    last = select(func.max(PracticeTry.number)).where(
        PracticeTry.practice_id == clip.practice_id, PracticeTry.annotator == annotator
    )
    with store.session() as session:
        made = PracticeTry(
            practice_id=clip.practice_id, annotator=annotator, number=(session.scalar(last) or 0) + 1,
            tracks=list(tracks),
        )  # fmt: skip
        session.add(made)
    return made


def keep(store: Store, try_id: int, **values: Any) -> None:
    """Set columns of a try: `tracks`, or those that say how it was marked."""
    with store.session() as session:
        session.execute(update(PracticeTry).where(PracticeTry.try_id == try_id).values(**values))


def qualify(store: Store, annotator: str) -> None:
    """Let an annotator have real work; done again, the first moment stays."""
    with store.session() as session:
        session.execute(
            update(Annotator)
            .where(Annotator.username == annotator, Annotator.qualified_at.is_(None))
            .values(qualified_at=now())
        )


def practised(store: Store, batch: str, clip_id: str) -> set[str]:
    """Annotators who practised on a clip, and were told what is right there: they are no measure of it."""
    wanted = (
        select(PracticeTry.annotator)
        .join(PracticeClip, PracticeClip.practice_id == PracticeTry.practice_id)
        .where(PracticeClip.batch == batch, PracticeClip.clip_id == clip_id)
    )
    with store.session() as session:
        return set(session.scalars(wanted))
