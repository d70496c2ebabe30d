"""One answer from several annotators: boxes by quorum, labels by vote, every result with how it came about."""
