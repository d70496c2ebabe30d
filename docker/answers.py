"""Health check: does a server of this container answer? `python docker/answers.py URL`."""

import sys
from urllib.request import urlopen

SECONDS = 5

with urlopen(sys.argv[1], timeout=SECONDS):  # noqa: S310 - an address of this container
    pass
