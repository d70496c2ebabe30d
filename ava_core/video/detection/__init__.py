"""Finding people in frames: one protocol, one file a detector; which one ran is kept with what it found."""
