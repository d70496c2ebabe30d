"""The tracker's parameters. Times are in seconds, so that they mean the same at every detector rate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrackerParameters:
    """Parameters of the online tracker and of the offline pass.

    start_score: score from which a detection may start a track. Raising it costs people who are hard to see
        and saves false tracks.
    keep_score: score from which a detection may continue a track, in the second stage. Raising it breaks tracks.
    iou: overlap from which a detection can belong to a predicted box. Raising it breaks tracks of fast people.
    max_age_s: how long a track waits for its next detection. Raising it bridges occlusions and swaps identities.
    velocity_noise: how much more a person's velocity may change from look to look than SORT allows (variance).
        Raising it follows turns, and noise.
    min_hits: detections after which a track counts. Raising it drops short false tracks, and short true ones.
    buffer: share of its size by which a box grows on each side for the overlap, per second between two looks
        beyond 0.05 s. Raising it holds fast people at low rates and confuses neighbours.
    fill_gap_s: longest gap filled by interpolation, in confident long tracks only.
    fill_reach: how badly both sides of a gap may fit for it to be filled, as a share of what stitching allows.
        Raising it draws people who are hidden, and boxes of nobody.
    stitch_gap_s: longest gap across which two tracks are joined to one.
    stitch_reach: how far a person may be from where the pieces of a track put them, in heights, and 1/5 of that
        more for every second in between. Raising it joins people who turned, and people who are not the same.
    sure_by: how far above `start_score` a track's better quarter of scores must reach; else it is nobody's. Raising
        it drops false tracks, and people who are hard to see throughout.
    min_track_s: tracks shorter than this are dropped.
    confident_score: mean score from which a track is filled and stitched.
    confident_s: length from which a track is filled.
    """

    start_score: float = 0.45
    keep_score: float = 0.15
    iou: float = 0.4
    max_age_s: float = 0.5
    velocity_noise: float = 30.0
    min_hits: int = 2
    buffer: float = 1.0
    fill_gap_s: float = 3.0
    fill_reach: float = 1.0
    stitch_gap_s: float = 5.0
    stitch_reach: float = 0.5
    sure_by: float = 0.2
    min_track_s: float = 0.3
    confident_score: float = 0.5
    confident_s: float = 1.0
