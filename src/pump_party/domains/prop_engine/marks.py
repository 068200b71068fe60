"""The shell of `mark_accounts`: read accounts page by page, let `marking.py` value them, write their marks."""

from collections.abc import Mapping, Sequence

from pump_party.domains.marketdata.contract import Quotes
from pump_party.domains.prop_engine.curve import MarkPrice
from pump_party.domains.prop_engine.guard import Guard
from pump_party.domains.prop_engine.marking import MARK_INTERVAL_MS, Markable, Marked, mark
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.store import PropStore
from pump_party.domains.prop_engine.valuation import stake_of
from pump_party.kernel.ids import AccountId, Market
from pump_party.platform.clock import Clock
from pump_party.platform.logging import get_logger

MARK_PAGE = 500

ARRAYS_FROM = 100
"""So many accounts are valued in arrays; fewer are valued faster one by one."""

log = get_logger("marker")


class Marker:
    """Writes equity marks: at cycle starts, after fills, every ten seconds of an open position, midnight among them.

    Several at once are safe: whoever comes second to an account writes nothing.
    """

    def __init__(
        self, store: PropStore, quotes: Quotes, rule_sets: Mapping[str, RuleSet], guard: Guard, clock: Clock
    ) -> None:
        self._store = store
        self._quotes = quotes
        self._rule_sets = rule_sets
        self._guard = guard
        self._clock = clock
        self._broken: set[AccountId] = set()
        self._markets = sorted({market for rules in rule_sets.values() for market in (*rules.spot, *rules.perp)})

    def mark_accounts(self, *, changed_only: bool = False) -> Sequence[Marked]:
        """One round. Returns what it wrote, every mark with the day's start and the peak beside it."""
        now_ms = self._clock.now_ms()
        prices = self._prices(now_ms)
        grid_ms = now_ms // MARK_INTERVAL_MS * MARK_INTERVAL_MS
        written: list[Marked] = []
        after = ""
        while page := self._store.accounts_to_mark(after=after, limit=MARK_PAGE, changed_only=changed_only):
            after = page[-1].holdings.account.account_id
            worth = _worth(page, prices) if len(page) >= ARRAYS_FROM else {}
            marked = [self._mark(markable, prices, grid_ms, worth) for markable in page]
            found = [m for m in marked if m is not None]
            # Before they are written: a mark that shows a breach never stands beside an account that still trades.
            self._guard.check_marks(found)
            written.extend(self._store.record_marks(found))
        return written

    def _mark(
        self, markable: Markable, prices: Mapping[Market, MarkPrice], grid_ms: int, worth: Mapping[AccountId, int]
    ) -> Marked | None:
        """None of an account that cannot be valued at all: it is told in the log once, and holds up nobody else."""
        account = markable.holdings.account
        try:
            return mark(
                markable,
                prices,
                self._rule_sets[account.rule_set],
                grid_ms=grid_ms,
                equity_now_micros=worth.get(account.account_id),
            )
        except Exception as error:
            # A bug or a broken row of one account must not stop the loss limits of all.
            if account.account_id not in self._broken:
                self._broken.add(account.account_id)
                log.error("account_not_marked", account_id=account.account_id, exc_info=error)
            return None

    def _prices(self, now_ms: int) -> dict[Market, MarkPrice]:
        """Of the markets that are open. A halted one gives no mark: a gap in the curve, not an invented price."""
        quotes = self._quotes.latest(self._markets)
        return {
            market: MarkPrice(quote.mid_e8, quote.conf_e8)
            for market, quote in quotes.items()
            if quote.halted(now_ms) is None
        }


def _worth(page: Sequence[Markable], prices: Mapping[Market, MarkPrice]) -> dict[AccountId, int]:
    """What the accounts are worth now, all at once; without those that hold something without a price.

    Nor those that hold several markets: how much of each is in the market must be known of them, one by one.
    """
    # Arrays take a tenth of a second to import, and most processes never mark.
    from pump_party.domains.prop_engine.board import board_of, mark_to_market

    stakes = {m.holdings.account.account_id: stake_of(m.holdings) for m in page}
    priced = {
        account_id: stake
        for account_id, stake in stakes.items()
        if len(stake.quantities) < 2 and stake.quantities.keys() <= prices.keys()
    }
    board = board_of(list(priced.values()))
    equities = mark_to_market(board, {market: price.mid_e8 for market, price in prices.items()}).tolist()
    ids = list(priced)
    return {ids[row]: equity for row, equity in zip(board.order, equities, strict=True)}
