"""Why an account is not active, in a code and in words, from the record of its newest change of status. Pure."""

import msgspec

from pump_party.domains.prop_engine.risk import RiskRules
from pump_party.domains.prop_engine.status import Asker
from pump_party.domains.prop_interface.contract import AccountView, Drawdown, StatusReason
from pump_party.kernel.money import PPM, format_micros


class _Change(msgspec.Struct, frozen=True):
    """The detail of a change of status; the amounts are those of a loss."""

    by: Asker
    reason: str
    equity_micros: str = "0"
    day_start_micros: str = "0"
    peak_micros: str = "0"


_decode = msgspec.json.Decoder(_Change).decode


def with_reason(view: AccountView, detail: str | None, risk: RiskRules) -> AccountView:
    """The account as others see it, with the reason it is not active: `detail` is of its newest change of status."""
    reason, words = explain(detail, risk, view.start_micros)
    return msgspec.structs.replace(view, status_reason=reason, status_detail=words)


def explain(detail: str | None, risk: RiskRules, start_micros: int) -> tuple[StatusReason | None, str | None]:
    """(code, words); no words where whoever changed the status gave none, neither where nothing was recorded."""
    if detail is None:
        return None, None
    change = _decode(detail)
    if change.by is Asker.OWNER:
        return StatusReason.BY_OWNER, change.reason or None
    if change.by is Asker.SYSTEM:
        return StatusReason.BY_SYSTEM, change.reason or None
    reason = StatusReason(change.reason)
    return reason, _loss_words(reason, change, risk, start_micros)


def _loss_words(reason: StatusReason, change: _Change, risk: RiskRules, start_micros: int) -> str:
    equity_micros = int(change.equity_micros)
    if reason is StatusReason.DAILY_LOSS:
        since, from_micros, limit_ppm = (
            "at the start of the day (UTC)",
            int(change.day_start_micros),
            risk.daily_loss_ppm,
        )
    elif risk.drawdown is Drawdown.TRAILING:
        since, from_micros, limit_ppm = (
            "at its highest",
            max(start_micros, int(change.peak_micros)),
            risk.total_loss_ppm,
        )
    else:
        since, from_micros, limit_ppm = "at the start", start_micros, risk.total_loss_ppm
    assert limit_ppm is not None
    lost, limit = from_micros - equity_micros, limit_ppm * start_micros // PPM
    return (
        f"Equity was {format_micros(equity_micros)} USDC, {format_micros(lost)} below the {format_micros(from_micros)} "
        f"{since}; at most {format_micros(limit)} may be lost."
    )
