"""Proposals of programs outside: how they are read."""

from typing import Annotated

import msgspec

from pump_party.apps.decision_wire import PRICE_KEY, Condition, OwnDecision, decimals_of, render_own, unit_of_key
from pump_party.apps.order_wire import DecimalText, KeyText, Leverage, MarketText, OrderBodyOut, render_order
from pump_party.domains.aitrading.contract import (
    PROPOSALS_MAX,
    REASON_CHARS_MAX,
    Direction,
    Invalidation,
    OutsideRunView,
    Proposal,
    ProposalAction,
)
from pump_party.domains.clones.contract import Op
from pump_party.domains.marketdata.contract import Feature, parse_feature
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import Market
from pump_party.kernel.money import E8_DECIMALS, INT64_MAX, MICROS_DECIMALS, PPM, parse_decimal

FEATURE_CHARS_MAX = 64

FeatureText = Annotated[str, msgspec.Meta(max_length=FEATURE_CHARS_MAX)]
SignedText = Annotated[str, msgspec.Meta(max_length=26, description='decimal string, for example "-0.5"')]


class ConditionBody(Condition, frozen=True, forbid_unknown_fields=True):
    """See `Condition`; a feature is written as `ema(1h,20)`."""

    feature: FeatureText
    op: Op
    value: SignedText | None = None
    than: FeatureText | None = None


class ProposalBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wanted in one market. `share` is the fraction of equity where the position is to end, of a perpetual the
    margin's; `close` and `hold` need none.
    """

    market: MarketText
    action: ProposalAction
    side: Direction | None = None
    share: DecimalText = "0"
    leverage: Leverage = 1
    stop_price: DecimalText | None = None
    target_price: DecimalText | None = None
    invalidation: ConditionBody | None = None
    confidence: DecimalText | None = None
    reason: Annotated[str, msgspec.Meta(max_length=REASON_CHARS_MAX)] = ""


class ActionsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`run_key` is your name for this decision: sending it again returns what became of it the first time."""

    run_key: KeyText
    proposals: Annotated[list[ProposalBody], msgspec.Meta(min_length=1, max_length=PROPOSALS_MAX)]


class OutsideDecision(msgspec.Struct, frozen=True):
    """What became of your proposals, with the same evidence as a decision of the clone's own."""

    decision: OwnDecision
    orders: list[OrderBodyOut]


def render_outside(view: OutsideRunView) -> OutsideDecision:
    return OutsideDecision(render_own(view.run), [render_order(order) for order in view.orders])


def parse_proposal(body: ProposalBody, place: str) -> Proposal:
    """Raises Invalid with the field within `place`."""
    if body.action in (ProposalAction.CLOSE, ProposalAction.HOLD):
        confidence_ppm = _ppm(body.confidence, f"{place}.confidence")
        return Proposal(Market(body.market), body.action, confidence_ppm=confidence_ppm, reason=body.reason)
    return Proposal(
        market=Market(body.market),
        action=body.action,
        side=body.side,
        share_ppm=_ppm(body.share, f"{place}.share") or 0,
        leverage=body.leverage,
        stop_price_e8=_price(body.stop_price, f"{place}.stop_price"),
        target_price_e8=_price(body.target_price, f"{place}.target_price"),
        invalidation=None
        if body.invalidation is None
        else _parse_condition(body.invalidation, f"{place}.invalidation"),
        confidence_ppm=_ppm(body.confidence, f"{place}.confidence"),
        reason=body.reason,
    )


def _ppm(text: str | None, field: str) -> int | None:
    return None if text is None else _within(text, decimals=MICROS_DECIMALS, low=0, high=PPM, field=field)


def _price(text: str | None, field: str) -> int | None:
    return None if text is None else _within(text, decimals=E8_DECIMALS, low=1, high=INT64_MAX, field=field)


def _within(text: str, *, decimals: int, low: int, high: int, field: str) -> int:
    value = parse_decimal(text, decimals=decimals, field=field)
    if not low <= value <= high:
        raise Invalid("is out of range", code="number_out_of_range", field=field)
    return value


def _parse_condition(body: ConditionBody, place: str) -> Invalidation:
    if (body.value is None) == (body.than is None):
        raise Invalid("give exactly one of value and than", code="one_of", field=f"{place}.value")
    feature = _parse_key(body.feature, f"{place}.feature")
    unit = unit_of_key(feature)
    if body.than is not None:
        than = _parse_key(body.than, f"{place}.than")
        if unit_of_key(than) is not unit or than == feature:
            raise Invalid("must be another feature of the same unit", code="bad_condition", field=f"{place}.than")
        if than is None:  # a feature above the price is the price below that feature
            return Invalidation(None, Op.BELOW if body.op is Op.ABOVE else Op.ABOVE, than=feature)
        return Invalidation(feature, body.op, than=than)
    assert body.value is not None
    digits = body.value.removeprefix("-")
    size = _within(digits, decimals=decimals_of(unit), low=0, high=INT64_MAX, field=f"{place}.value")
    return Invalidation(feature, body.op, value=-size if body.value.startswith("-") else size)


def _parse_key(text: str, field: str) -> Feature | None:
    if text == PRICE_KEY:
        return None
    try:
        return parse_feature(text)
    except Invalid as error:
        raise Invalid(error.detail, code=error.code, field=field) from error
