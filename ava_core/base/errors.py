"""One tree of errors. Every message says what is wrong, in which file, row or field, and how to mend it."""

from __future__ import annotations


class AvaError(Exception):
    """Root of all errors that a person can mend.

    `message` says what is wrong and where; `cure` says what to do. Commands print both on one line and
    exit non-zero without a traceback.
    """

    def __init__(self, message: str, cure: str = "") -> None:
        self.message = message.strip()
        self.cure = cure.strip()
        super().__init__(f"{self.message} {self.cure}".strip())


class SettingsError(AvaError):
    """A setting is missing or contradicts another one."""


class PluginError(AvaError):
    """An addition of another package cannot be used; the message names the package."""


class OntologyError(AvaError):
    """An ontology file breaks a rule; the message names the file and the line."""


class InputError(AvaError):
    """Something handed in (path, zip, csv, pickle, XML) cannot be used."""


class QuotaError(InputError):
    """There is no room for something handed in; what came before is kept."""


class MediaError(InputError):
    """A video cannot be read; the reason is kept with the quarantined source video."""


class UnsafePickleError(InputError):
    """A pickle refers to something other than builtins and plain numpy arrays; nothing of it was executed."""


class DetectorError(AvaError):
    """A detector cannot start (weights missing, package missing, device missing)."""


class CvatError(AvaError):
    """The annotation server refused, failed or could not be reached."""


class CvatUnreachableError(CvatError):
    """No answer from the annotation server."""


class CvatLoginError(CvatError):
    """The annotation server did not accept the credentials."""


class UnreadableJobError(CvatError):
    """What the annotation server says of one job cannot be read; the others are not affected."""


class UnusableClipError(CvatError):
    """The annotation server cannot make a task of one clip; the others are not affected."""


class AssignmentError(AvaError):
    """No assignment exists that satisfies the request."""


class DecisionError(AvaError):
    """A decision does not fit the state of what it decides on."""


class ExportError(AvaError):
    """A release cannot be written; nothing of it is left behind."""


class StoreError(AvaError):
    """The database cannot be used as it is."""


class StoreBusyError(StoreError):
    """The database is held by another program for longer than the caller waits."""


class SignInError(AvaError):
    """Somebody was not let in."""
