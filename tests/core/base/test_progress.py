"""Progress: counts, rate and time left, in words."""

from __future__ import annotations

from ava_core.base.progress import Progress, ProgressReport


def test_a_report_reads_as_a_sentence():
    report = ProgressReport("detect", 300, 900, "frames", 10.0, 60.0)
    assert str(report) == "detect: 300/900 frames, 10.0 frames/s, 1:00 left"
    assert str(ProgressReport("read", 3, None, "jobs", None, None)) == "read: 3 jobs"


def test_reports_come_at_most_once_an_interval_and_at_the_end():
    reports: list[ProgressReport] = []
    progress = Progress("cut", total=5, sink=reports.append, every=3600)
    for _ in range(5):
        progress.advance()
    progress.finish()
    assert [(r.done, r.total) for r in reports] == [(5, 5)]
    assert reports[0].seconds_left == 0
