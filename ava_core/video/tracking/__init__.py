"""From detections to tracks: Kalman SORT, then an offline pass that knows the whole clip."""
