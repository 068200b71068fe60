"""How two operators end a quarantine: different persons, each with a reason, close in time."""

from pump_party.domains.marketdata.contract import Approval
from pump_party.kernel.errors import Conflict, Invalid

OPERATORS_NEEDED = 2
APPROVAL_LIFE_MS = 15 * 60_000
"""An approval speaks of the market as the operator saw it; an older one no longer counts."""

OPERATOR_CHARACTERS_MAX = 64
REASON_CHARACTERS_MAX = 500


def approve(approvals: tuple[Approval, ...], approval: Approval) -> tuple[Approval, ...]:
    """The approvals with one more. Raises Invalid, or Conflict (operator_repeated) for the same person twice."""
    for field, text, longest in (
        ("operator", approval.operator, OPERATOR_CHARACTERS_MAX),
        ("reason", approval.reason, REASON_CHARACTERS_MAX),
    ):
        if not text.strip() or len(text) > longest or not text.isprintable():
            raise Invalid(f"must be 1 to {longest} printable characters", field=field)
    if is_approved(approvals):
        return approvals
    valid = tuple(one for one in approvals if approval.at_ms - one.at_ms <= APPROVAL_LIFE_MS)
    if any(_same_person(one, approval) for one in valid):
        raise Conflict("a second, different operator must approve", code="operator_repeated", field="operator")
    return (*valid, approval)


def is_approved(approvals: tuple[Approval, ...]) -> bool:
    return len(approvals) == OPERATORS_NEEDED


def _same_person(one: Approval, other: Approval) -> bool:
    return one.operator.strip().casefold() == other.operator.strip().casefold()
