from .export.options import ReleaseOptions as ReleaseOptions
from .export.release import write_release as write_release
from .formats.ava.checks import validate_dataset as validate_dataset
from .formats.ava.reader import read_rows as read_rows
from .importing.ava import import_ava as import_ava
