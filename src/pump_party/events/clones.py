"""Events of clones: what everybody may know. Nothing of a strategy is ever in one."""

from typing import ClassVar

import msgspec


class ClonePublished(msgspec.Struct, frozen=True):
    """A clone has a new version. The commitment fixes it without showing it."""

    KIND: ClassVar[str] = "clone_published"

    clone_id: str
    version: int
    commitment: str
    at_ms: int


class CloneProfileChanged(msgspec.Struct, frozen=True):
    """A clone shows another name or bio: its owner changed them, or an operator hid or showed them."""

    KIND: ClassVar[str] = "clone_profile_changed"

    clone_id: str
    name: str
    bio: str
    hidden: bool
    at_ms: int
