"""A person who labels, as the annotation server knows them."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import SecretStr

from ava_core.annotation.gateway import CvatGateway
from ava_core.base.settings import Settings


@dataclass(frozen=True)
class Labeller:
    """An account of the annotation server, and the token with which the platform acts in its name."""

    user_name: str
    user_id: int
    token: str = field(repr=False)

    def connect(self, settings: Settings) -> CvatGateway:
        """A session as this person; use it in a `with` block."""
        own = {"cvat_username": self.user_name, "cvat_token": SecretStr(self.token), "cvat_password": None}
        return CvatGateway(settings.model_copy(update=own))
