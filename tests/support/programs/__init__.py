"""Other people's loaders on a dataset's folder, each a program that runs where its package is installed.

Called with a folder and splits, it prints a line of JSON for each split: a list of
`[video, timestamp, [[x1, y1, x2, y2, [label, …]], …], [clip, frame]]`, an item a keyframe, the last being what the bars
in the picture of the keyframe say (`tests.support.numbered`).
"""
