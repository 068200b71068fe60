"""Words and limits of clones that more than one file of this package needs."""

from enum import StrEnum

CLONES_PER_USER_MAX = 20
VERSIONS_PER_CLONE_MAX = 500
DIRECTORY_LIMIT_MAX = 100
REASON_CHARS_MAX = 280
OPERATOR_CHARS_MAX = 64
REPORTS_PER_USER_MAX = 50
"""Reports of one user that nobody has decided about."""

LAYOUT_COORDINATE_MAX = 100_000

Layout = dict[str, tuple[int, int]]
"""Where the blocks of a draft lie on the canvas, by node id."""


class CloneStatus(StrEnum):
    """`draft` until its first version is published."""

    DRAFT = "draft"
    READY = "ready"


class Mood(StrEnum):
    """What an avatar's face shows."""

    CALM = "calm"
    GLAD = "glad"
    GLUM = "glum"
    ASLEEP = "asleep"
