"""Write down that an account's status changed, and what goes with it: its orders cancelled, its positions closing.

The counterpart of `recording.py` for the account itself. Closing is an order of the engine's own per position, which
waits for the next tick of its market like any other order, and for the one after while the price is uncertain.
"""

from collections.abc import Iterator, Mapping

import msgspec

from pump_party.domains.prop_engine import announce
from pump_party.domains.prop_engine.chain import canonical
from pump_party.domains.prop_engine.ledger import CASH_ASSET, write_record
from pump_party.domains.prop_engine.model import OWN_KEY_MARK, OpenOrder, Order, RecordKind
from pump_party.domains.prop_engine.perp_model import FLAT, LONG
from pump_party.domains.prop_engine.recording import Recorder
from pump_party.domains.prop_engine.status import CLOSE_POSITIONS, KEEP_ORDERS
from pump_party.domains.prop_interface.contract import AccountStatus, CancelReason, OrderStage, OrderTerms, Side
from pump_party.kernel.ids import AccountId, Market, OrderId

CLOSING = OrderTerms(reduce_only=True, is_closing=True)


def change_status(
    recorder: Recorder,
    account_id: AccountId,
    status: AccountStatus,
    *,
    record_id: str,
    reason: str,
    evidence: Mapping[str, str],
) -> None:
    """Whether the change is allowed is the caller's to know; every market of the account must have been loaded."""
    account = recorder.accounts[account_id]
    detail = canonical({**evidence, "before": account.status.value, "reason": reason, "status": status.value})
    record = write_record(account, record_id, RecordKind.STATUS, at_ms=recorder.now_ms, detail=detail.decode())
    after = msgspec.structs.replace(
        account, status=status, seq=account.seq + 1, version=record.version, head=record.sha256
    )
    recorder.keep_account(after)
    recorder.batch.records.append(record)
    recorder.batch.messages.append(announce.account_status_changed(after, reason, at_ms=recorder.now_ms))
    if status not in KEEP_ORDERS:
        for open_order in recorder.of_account(account_id):
            recorder.end(open_order, CancelReason.ACCOUNT_CLOSED)
    if status in CLOSE_POSITIONS:
        for market, side in list(_held(recorder, account_id)):
            recorder.accept(_closing(recorder, account_id, market, side))


def _held(recorder: Recorder, account_id: AccountId) -> Iterator[tuple[Market, Side]]:
    """(market, the side that closes it) of every position."""
    rules = recorder.rule_sets[recorder.accounts[account_id].rule_set]
    for market in sorted(rules.spot):
        if recorder.position(account_id, market).quantity_nanos > 0:
            yield market, Side.SELL
    for market in sorted(rules.perp):
        perp = recorder.perps.get((account_id, market))
        if perp is not None and perp.direction != FLAT:
            yield market, Side.SELL if perp.direction == LONG else Side.BUY


def _closing(recorder: Recorder, account_id: AccountId, market: Market, side: Side) -> OpenOrder:
    """An order that any tick published from now on may fill, whatever it costs; it has no deadline."""
    order_id = OrderId(next(recorder.new_ids))
    order = Order(
        order_id=order_id,
        account_id=account_id,
        idempotency_key=f"{order_id}{OWN_KEY_MARK}closing",
        request_sha256=b"",
        client_order_id=None,
        market=market,
        side=side,
        quantity_nanos=None,
        quote_micros=None,
        max_slippage_ppm=None,
        created_ms=recorder.now_ms,
        reject_code=None,
        fill_id=None,
        terms=CLOSING,
    )
    return OpenOrder(order, OrderStage.WAITING, recorder.now_ms, None, None, None, CASH_ASSET, 0)
