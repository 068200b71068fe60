"""The shell of `standing_at_end`: an account as it was at a contest's end, closed at the markets' closing prices."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from pump_party.domains.marketdata.contract import ClosingPrice, Closings, NoClosingPrice
from pump_party.domains.prop_engine.curve import MarkPrice
from pump_party.domains.prop_engine.model import JournalRecord, RecordKind
from pump_party.domains.prop_engine.portfolio import Holdings
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.store import PropStore
from pump_party.domains.prop_engine.valuation import liquidation_micros, stake_of
from pump_party.domains.prop_interface.contract import EndStatus, StandingAtEnd
from pump_party.kernel.errors import Conflict, Unavailable
from pump_party.kernel.ids import Market, UserId
from pump_party.platform.clock import Clock

RECORDS_PAGE = 200
READS_MAX = 5
"""How often an account is read again that moves meanwhile."""

_MOVES = (RecordKind.OPEN, RecordKind.CLOSE, RecordKind.FILL)


class Closer:
    """Values accounts at an end. Changes nothing."""

    def __init__(
        self, store: PropStore, closings: Closings | None, rule_sets: Mapping[str, RuleSet], clock: Clock
    ) -> None:
        self._store = store
        self._prices = closings
        self._rule_sets = rule_sets
        self._clock = clock

    def standing_at_end(self, user_id: UserId, account_id: str, end_ms: int) -> StandingAtEnd:
        holdings, since = self._read(user_id, account_id, end_ms)
        account = holdings.account
        not_yet = StandingAtEnd(account.account_id, end_ms, EndStatus.NOT_YET)
        if self._clock.now_ms() < end_ms:
            return not_yet
        then = holdings_before(holdings, since)
        closings = self._closings(sorted(stake_of(then).quantities), end_ms)
        if NoClosingPrice.VOID in closings.values():
            return replace(not_yet, status=EndStatus.VOID)
        prices = {m: closing for m, closing in closings.items() if isinstance(closing, ClosingPrice)}
        if len(prices) < len(closings):
            return not_yet
        closed_ms = max((closing.end_ms for closing in prices.values()), default=end_ms)
        marks = {market: MarkPrice(closing.mid_e8, closing.conf_e8) for market, closing in prices.items()}
        value = liquidation_micros(then, self._rule_sets[account.rule_set], marks, at_ms=closed_ms)
        return replace(not_yet, status=EndStatus.CLOSED, standing_micros=value, closed_ms=closed_ms)

    def _closings(self, markets: Sequence[Market], end_ms: int) -> Mapping[Market, ClosingPrice | NoClosingPrice]:
        if self._prices is None:
            return dict.fromkeys(markets, NoClosingPrice.NOT_YET)
        return {market: self._prices.closing_price(market, end_ms) for market in markets}

    def _read(self, user_id: UserId, account_id: str, end_ms: int) -> tuple[Holdings, list[JournalRecord]]:
        """The account and what was recorded since the end, newest first, as of one moment."""
        for _ in range(READS_MAX):
            holdings = self._store.account(user_id, account_id)
            since = list(self._since(user_id, account_id, end_ms))
            newest = self._store.account(user_id, account_id).account.version
            if newest == holdings.account.version:
                return holdings, since
        raise Unavailable("the account is busy; try again", code="busy")

    def _since(self, user_id: UserId, account_id: str, end_ms: int) -> Iterator[JournalRecord]:
        before: int | None = None
        while page := self._store.records(user_id, account_id, before=before, limit=RECORDS_PAGE):
            for record in page:
                if record.at_ms < end_ms:
                    return
                if record.kind in _MOVES:
                    raise Conflict("the account has traded or begun anew since", code="account_moved_on")
                yield record
            before = page[-1].version


def holdings_before(holdings: Holdings, since: Sequence[JournalRecord]) -> Holdings:
    """Without the funding of hours since: what else is recorded of an account that does not trade moves no money."""
    paid_micros: dict[Market, int] = {}
    for record in since:
        if record.kind is RecordKind.FUNDING:
            assert record.detail is not None
            told = _decode_funding(record.detail)
            paid_micros[told.market] = paid_micros.get(told.market, 0) + int(told.funding_micros)
    perps = [replace(p, margin_micros=p.margin_micros - paid_micros.get(p.market, 0)) for p in holdings.perps]
    margin_micros = holdings.account.margin_micros - sum(paid_micros.values())
    return replace(holdings, account=replace(holdings.account, margin_micros=margin_micros), perps=perps)


class _Funding(msgspec.Struct):
    market: Market
    funding_micros: str


_decode_funding = msgspec.json.Decoder(_Funding).decode
