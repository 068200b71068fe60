"""Which status of an account may follow which, who may ask for it, and what it does to orders and positions. Pure."""

from enum import StrEnum

from pump_party.domains.prop_interface.contract import AccountKind, AccountStatus
from pump_party.kernel.errors import Conflict

ACTIVE, PAUSED, LOCKED = AccountStatus.ACTIVE, AccountStatus.PAUSED, AccountStatus.LOCKED
FROZEN, COMPLETED = AccountStatus.FROZEN, AccountStatus.COMPLETED


class Asker(StrEnum):
    """Who asks for another status: the owner, the system around the account (a contest), or the engine's risk rules."""

    OWNER = "owner"
    SYSTEM = "system"
    ENGINE = "engine"


ALLOWED = {
    (ACTIVE, PAUSED): {Asker.OWNER, Asker.SYSTEM},
    (PAUSED, ACTIVE): {Asker.OWNER, Asker.SYSTEM},
    (ACTIVE, LOCKED): {Asker.SYSTEM},
    (PAUSED, LOCKED): {Asker.SYSTEM},
    (LOCKED, ACTIVE): {Asker.SYSTEM},
    (ACTIVE, COMPLETED): {Asker.SYSTEM},
    (PAUSED, COMPLETED): {Asker.SYSTEM},
    (LOCKED, COMPLETED): {Asker.SYSTEM},
    (ACTIVE, FROZEN): {Asker.ENGINE},
    (PAUSED, FROZEN): {Asker.ENGINE},
    (LOCKED, FROZEN): {Asker.ENGINE},
}
"""Every change there is, and who may ask for it. Nothing follows frozen and completed."""

KEEP_ORDERS = {ACTIVE, PAUSED}
"""Whose waiting orders stay. Any other status cancels them."""

CLOSE_POSITIONS = {FROZEN, COMPLETED}
"""Whose positions are closed at the next tick of each market."""


def refuse_reset(kind: AccountKind, status: AccountStatus) -> None:
    """Only practice gets fresh capital again, and what was locked, frozen or completed stays as it ended."""
    if kind is AccountKind.CONTEST:
        raise Conflict("an account of a contest cannot be reset", code="contest_account")
    if kind is AccountKind.CLONE:
        raise Conflict("an account of a clone cannot be reset; deploy the clone anew", code="clone_account")
    if status not in KEEP_ORDERS:
        raise Conflict(f"a {status.value} account cannot be reset", code="status_not_allowed")


def is_allowed(before: AccountStatus, after: AccountStatus, *, asker: Asker, kind: AccountKind) -> bool:
    """An owner decides over practice accounts only."""
    if asker is Asker.OWNER and kind is not AccountKind.PRACTICE:
        return False
    return asker in ALLOWED.get((before, after), ())
