from .cutting import cut_clips as cut_clips
from .intake.source_videos import take_in_sources as take_in_sources
from .preview import write_previews as write_previews
from .proposals.batch import make_proposals as make_proposals
from .proposals.keyframes import keyframe_proposals as keyframe_proposals
from .tracking.batch import track_clips as track_clips
from .tracking.track import track_detections as track_detections
