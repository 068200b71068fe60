"""The shell of `standing_at_end`: an account as it was at a contest's end, closed at the markets' closing prices.

The account may live on: what it held then is replayed from its own records up to the end, which never change.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from pump_party.domains.marketdata.contract import ClosingPrice, Closings, NoClosingPrice
from pump_party.domains.prop_engine.curve import MarkPrice
from pump_party.domains.prop_engine.ledger import CASH_ASSET, USER_CASH, USER_HELD, read_postings
from pump_party.domains.prop_engine.model import Account, Fill, JournalRecord, RecordKind
from pump_party.domains.prop_engine.perp_model import FLAT
from pump_party.domains.prop_engine.portfolio import Holdings
from pump_party.domains.prop_engine.replay import Funding, Held, funding_of, replay
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.store import PropStore
from pump_party.domains.prop_engine.valuation import liquidation_micros, stake_of
from pump_party.domains.prop_interface.contract import EndStatus, StandingAtEnd
from pump_party.kernel.errors import Conflict
from pump_party.kernel.ids import Market, UserId
from pump_party.platform.clock import Clock

READ_PAGE = 500

READ_MAX = 200_000
"""The most records, or fills, of an account that are read for one answer. Whoever has more does not stand at an end."""


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
        account = self._store.account(user_id, account_id).account
        not_yet = StandingAtEnd(account.account_id, end_ms, EndStatus.NOT_YET)
        if self._clock.now_ms() < end_ms:
            return not_yet
        then = self._holdings_at(account, end_ms)
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

    def _holdings_at(self, account: Account, end_ms: int) -> Holdings:
        """What the account had of its money and its positions: all that was recorded before the end, nothing after."""
        version, cycle = self._version_at(account, end_ms)
        rules = self._rule_sets[account.rule_set]
        pricing = dict(rules.spot) | {market: params.pricing for market, params in rules.perp.items()}
        fills = self._fills(account, version, cycle)
        held = replay(account.account_id, fills, (), pricing)
        opened = _opened_version(fills, held)
        cash, fundings = self._cash_and_fundings(account, version, opened)
        if fundings:
            held = replay(account.account_id, fills, fundings, pricing)
        perps = list(held.perps.values())
        then = replace(
            account,
            cash_micros=cash[USER_CASH],
            held_micros=cash[USER_HELD],
            margin_micros=sum(p.margin_micros for p in perps),
        )
        return Holdings(then, list(held.positions.values()), perps)

    def _version_at(self, account: Account, end_ms: int) -> tuple[int, int]:
        """(version of the last record before the end that moved anything, cycle it belongs to)."""
        cycle = account.cycle
        for record in self._records(account, account.version):
            if record.at_ms < end_ms:
                return record.version, cycle
            cycle -= record.kind is RecordKind.OPEN
        raise Conflict("the account was opened after that", code="account_opened_later")

    def _cash_and_fundings(
        self, account: Account, version: int, opened: int | None
    ) -> tuple[dict[str, int], list[Funding]]:
        """Cash and holds as of a version, and what was funded of positions of which the oldest opened at `opened`."""
        cash: dict[str, int] = {}
        fundings = []
        for record in self._records(account, version):
            for posting in read_postings(record.postings):
                if posting.asset == CASH_ASSET and posting.ledger_account in (USER_CASH, USER_HELD):
                    cash.setdefault(posting.ledger_account, posting.balance_after)
            if record.kind is RecordKind.FUNDING:
                fundings.append(funding_of(record))
            known = len(cash) == 2 and (opened is None or record.version <= opened)
            if known or record.kind is RecordKind.OPEN:
                break
        return {USER_HELD: 0} | cash, fundings

    def _records(self, account: Account, version: int) -> Iterator[JournalRecord]:
        """The account's records that moved anything, from a version backwards."""
        for _ in range(0, READ_MAX, READ_PAGE):
            page = self._store.records(account.user_id, account.account_id, before=version + 1, limit=READ_PAGE)
            yield from page
            if len(page) < READ_PAGE:
                return
            version = page[-1].version - 1
        raise _too_long()

    def _fills(self, account: Account, version: int, cycle: int) -> list[Fill]:
        """Those of a cycle up to a version."""
        fills: list[Fill] = []
        while len(fills) < READ_MAX:
            page = self._store.fills(account.user_id, account.account_id, before=version + 1, limit=READ_PAGE)
            fills += [fill for fill in page if fill.cycle == cycle]
            if len(page) < READ_PAGE or page[-1].cycle != cycle:
                return fills
            version = page[-1].version - 1
        raise _too_long()


def _opened_version(fills: Sequence[Fill], held: Held) -> int | None:
    """The version behind which every open perpetual position was opened; None when there is none."""
    open_markets = {market for market, perp in held.perps.items() if perp.direction != FLAT}
    return min((fill.version for fill in fills if fill.market in open_markets), default=None)


def _too_long() -> Conflict:
    return Conflict(f"the account has more than {READ_MAX} records", code="account_too_long")
