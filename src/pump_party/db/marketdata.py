"""Tables of market data, then their store. Candles are kept per feed, so that a tape never mixes with live prices."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from pump_party.db.engine import Database, Int64, Text, metadata
from pump_party.domains.marketdata.admission import Quarantine, Verdict
from pump_party.domains.marketdata.candles import INTERVAL_MS
from pump_party.domains.marketdata.closing import CLOSING_WINDOW_MS
from pump_party.domains.marketdata.contract import CLOSING_KEPT_MS, Approval, Candle, CandleInterval, PerpHour
from pump_party.domains.marketdata.store import Batch, Moment
from pump_party.kernel.errors import Conflict
from pump_party.kernel.ids import Market

DAY_MS = 86_400_000
CANDLES_KEPT_MS: Mapping[CandleInterval, int] = {
    CandleInterval.M1: 60 * DAY_MS,
    CandleInterval.M5: 365 * DAY_MS,
    CandleInterval.H1: 5 * 365 * DAY_MS,
    CandleInterval.D1: 20 * 365 * DAY_MS,
}
"""Candles further than this from where the market's chart is are deleted, and so are hours of perpetuals."""

PERP_HOURS_KEPT_MS = 5 * 365 * DAY_MS

REFUSALS_KEPT = 2_000
"""Of each verdict, the newest."""

QUARANTINES_KEPT = 1_000

candles = sa.Table(
    "marketdata_candles",
    metadata,
    sa.Column("feed", Text, primary_key=True),
    sa.Column("market", Text, primary_key=True),
    sa.Column("interval", Text, primary_key=True),
    sa.Column("open_ms", Int64, primary_key=True, autoincrement=False),
    sa.Column("open_e8", Int64, nullable=False),
    sa.Column("high_e8", Int64, nullable=False),
    sa.Column("low_e8", Int64, nullable=False),
    sa.Column("close_e8", Int64, nullable=False),
    sa.Column("ticks", Int64, nullable=False),
    sa.CheckConstraint(
        "0 < low_e8 AND low_e8 <= open_e8 AND low_e8 <= close_e8"
        " AND open_e8 <= high_e8 AND close_e8 <= high_e8 AND ticks >= 0",
        name="marketdata_candles_bounds",
    ),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

charts = sa.Table(
    "marketdata_charts",
    metadata,
    sa.Column("market", Text, primary_key=True),
    sa.Column("feed", Text, nullable=False),
    sa.Column("chart_ms", Int64, nullable=False),
    sa.Column("updated_ms", Int64, nullable=False),
    sqlite_strict=True,
)

refusals = sa.Table(
    "marketdata_refusals",
    metadata,
    sa.Column("refusal_no", Int64, primary_key=True),
    sa.Column("at_ms", Int64, nullable=False),
    sa.Column("feed", Text, nullable=False),
    sa.Column("source", Text, nullable=False),
    sa.Column("market", Text, nullable=False),
    sa.Column("verdict", Text, nullable=False),
    sa.Column("mid_e8", Int64, nullable=False),
    sa.Column("conf_e8", Int64, nullable=False),
    sa.Column("publish_ms", Int64, nullable=False),
    sa.Column("slot", Int64, nullable=False),
    sa.Column("raw_sha256", Text, nullable=False),
    sqlite_strict=True,
)

quarantines = sa.Table(
    "marketdata_quarantines",
    metadata,
    sa.Column("market", Text, primary_key=True),
    sa.Column("feed", Text, primary_key=True),
    sa.Column("since_ms", Int64, primary_key=True, autoincrement=False),
    sa.Column("source", Text, nullable=False),
    sa.Column("reference_e8", Int64, nullable=False),
    sa.Column("observed_e8", Int64, nullable=False),
    sa.Column("raw_sha256", Text, nullable=False),
    sa.Column("first_operator", Text),
    sa.Column("first_reason", Text),
    sa.Column("first_at_ms", Int64),
    sa.Column("second_operator", Text),
    sa.Column("second_reason", Text),
    sa.Column("second_at_ms", Int64),
    sa.Column("ended_ms", Int64),
    sa.Column("ended_by", Text),
    sa.CheckConstraint("first_operator <> second_operator", name="marketdata_quarantines_two_persons"),
    sqlite_strict=True,
)

moments = sa.Table(
    "marketdata_moments",
    metadata,
    sa.Column("market", Text, primary_key=True),
    sa.Column("at_ms", Int64, primary_key=True, autoincrement=False),
    sa.Column("mid_e8", Int64, nullable=False),
    sa.Column("conf_e8", Int64, nullable=False),
    sa.Column("feed", Text, nullable=False),
    sa.Column("is_halt", Int64, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

perp_hours = sa.Table(
    "marketdata_perp_hours",
    metadata,
    sa.Column("feed", Text, primary_key=True),
    sa.Column("market", Text, primary_key=True),
    sa.Column("hour_ms", Int64, primary_key=True, autoincrement=False),
    sa.Column("premium_sum_ppb", Int64, nullable=False),
    sa.Column("samples", Int64, nullable=False),
    sa.Column("funding_1h_ppb", Int64, nullable=False),
    sa.Column("open_interest_nanos", Int64),
    sa.Column("oracle_e8", Int64),
    sa.Column("mark_e8", Int64),
    sa.Column("updated_ms", Int64, nullable=False),
    sa.Column("source", Text, nullable=False),
    sa.Column("sha256", Text, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)


class MarketDataStore:
    """Implements `marketdata.store.MarketDataRecords`. Safe to call from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, batch: Batch) -> None:
        with self._database.write() as connection:
            if batch.candles:
                rows = [_candle_row(batch.feed, candle) for candle in batch.candles]
                connection.execute(self._replace(candles, ("feed", "market", "interval", "open_ms")), rows)
            if batch.earlier:
                rows = [_candle_row(batch.feed, candle) for candle in batch.earlier]
                connection.execute(self._database.insert(candles).on_conflict_do_nothing(), rows)
            if batch.charts:
                rows = [_chart_row(batch, market, chart_ms) for market, chart_ms in batch.charts.items()]
                connection.execute(self._replace(charts, ("market",)), rows)
            if batch.perp_hours:
                rows = [{**_fields(hour), "feed": batch.feed} for hour in batch.perp_hours]
                connection.execute(self._replace(perp_hours, ("feed", "market", "hour_ms")), rows)
            if batch.moments:
                rows = [{**_fields(moment), "is_halt": int(moment.is_halt)} for moment in batch.moments]
                connection.execute(self._replace(moments, ("market", "at_ms")), rows)
            if batch.refusals:
                connection.execute(
                    refusals.insert(),
                    [
                        {**_fields(refusal), "feed": batch.feed, "verdict": refusal.verdict.value}
                        for refusal in batch.refusals
                    ],
                )
            for quarantine in batch.quarantines:
                row = {**_fields(quarantine), "feed": batch.feed}
                connection.execute(self._database.insert(quarantines).values(row).on_conflict_do_nothing())
            for end in batch.ends:
                connection.execute(
                    quarantines.update()
                    .where(quarantines.c.market == end.market, quarantines.c.feed == batch.feed)
                    .where(quarantines.c.since_ms == end.since_ms, quarantines.c.ended_ms.is_(None))
                    .values(ended_ms=end.ended_ms, ended_by=end.ended_by.value)
                )

    def newest_candles(self, feed: str, market: Market, *, not_after_ms: int) -> Sequence[Candle]:
        found = []
        with self._database.read() as connection:
            for interval in INTERVAL_MS:
                row = connection.execute(
                    sa.select(candles)
                    .where(candles.c.feed == feed, candles.c.market == market, candles.c.interval == interval.value)
                    .where(candles.c.open_ms <= not_after_ms)
                    .order_by(candles.c.open_ms.desc())
                    .limit(1)
                ).first()
                if row is not None:
                    found.append(_candle(row, chart_ms=row.open_ms))
        return found

    def candles(self, market: Market, interval: CandleInterval, *, before_ms: int, limit: int) -> Sequence[Candle]:
        with self._database.read() as connection:
            chart = connection.execute(sa.select(charts).where(charts.c.market == market)).first()
            if chart is None:
                return []
            rows = connection.execute(
                sa.select(candles)
                .where(candles.c.feed == chart.feed, candles.c.market == market)
                .where(candles.c.interval == interval.value)
                .where(candles.c.open_ms <= chart.chart_ms, candles.c.open_ms < before_ms)
                .order_by(candles.c.open_ms.desc())
                .limit(limit)
            ).all()
        return [_candle(row, chart_ms=chart.chart_ms) for row in rows]

    def close_before(self, feed: str, market: Market, *, after_ms: int, before_ms: int) -> int | None:
        with self._database.read() as connection:
            close: int | None = connection.execute(
                sa.select(candles.c.close_e8)
                .where(candles.c.feed == feed, candles.c.market == market)
                .where(candles.c.interval == CandleInterval.M1.value)
                .where(candles.c.open_ms > after_ms, candles.c.open_ms <= before_ms)
                .order_by(candles.c.open_ms.desc())
                .limit(1)
            ).scalar()
        return close

    def moments(self, market: Market, *, from_ms: int, before_ms: int, limit: int) -> Sequence[Moment]:
        query = (
            sa.select(moments)
            .where(moments.c.market == market, moments.c.at_ms >= from_ms, moments.c.at_ms < before_ms)
            .order_by(moments.c.at_ms)
            .limit(limit)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            Moment(Market(m), at_ms, mid_e8, conf_e8, feed, bool(halt))
            for m, at_ms, mid_e8, conf_e8, feed, halt in rows
        ]

    def perp_hours(self, feed: str, market: Market, *, before_ms: int, limit: int) -> Sequence[PerpHour]:
        query = (
            sa.select(*[column for column in perp_hours.c if column.name != "feed"])
            .where(perp_hours.c.feed == feed, perp_hours.c.market == market, perp_hours.c.hour_ms < before_ms)
            .order_by(perp_hours.c.hour_ms.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return [PerpHour(*row) for row in connection.execute(query)]

    def chart_feed(self, market: Market) -> str | None:
        with self._database.read() as connection:
            feed: str | None = connection.scalar(sa.select(charts.c.feed).where(charts.c.market == market))
        return feed

    def newest_moment_ms(self, market: Market) -> int | None:
        with self._database.read() as connection:
            newest: int | None = connection.scalar(
                sa.select(sa.func.max(moments.c.at_ms)).where(moments.c.market == market)
            )
        return newest

    def open_quarantines(self, feed: str) -> Sequence[Quarantine]:
        return self._quarantines(quarantines.c.feed == feed)

    def approved_quarantines(self, feed: str) -> Sequence[Quarantine]:
        return self._quarantines(quarantines.c.feed == feed, quarantines.c.second_operator.is_not(None))

    def approve(
        self, market: Market, approve: Callable[[tuple[Approval, ...]], tuple[Approval, ...]]
    ) -> tuple[Quarantine, tuple[Approval, ...]]:
        with self._database.write() as connection:
            row = connection.execute(
                sa.select(quarantines)
                .where(quarantines.c.market == market, quarantines.c.ended_ms.is_(None))
                .order_by(quarantines.c.since_ms.desc())
                .limit(1)
                .with_for_update()
            ).first()
            if row is None:
                raise Conflict(f"{market} is not quarantined", code="market_not_quarantined", field="market")
            approvals = approve(_approvals(row))
            connection.execute(
                quarantines.update()
                .where(quarantines.c.market == market, quarantines.c.feed == row.feed)
                .where(quarantines.c.since_ms == row.since_ms)
                .values(_approval_columns(approvals))
            )
        return _quarantine(row), approvals

    def prune(self, feed: str, *, now_ms: int) -> None:
        with self._database.write() as connection:
            for market in connection.scalars(sa.select(charts.c.market)).all():
                passed = moments.c.at_ms < now_ms - CLOSING_KEPT_MS - CLOSING_WINDOW_MS
                connection.execute(moments.delete().where(moments.c.market == market, passed))
            for chart in connection.execute(sa.select(charts).where(charts.c.feed == feed)).all():
                far = sa.not_(_around(perp_hours.c.hour_ms, chart.chart_ms, PERP_HOURS_KEPT_MS))
                own = perp_hours.c.feed == feed, perp_hours.c.market == chart.market
                connection.execute(perp_hours.delete().where(*own, far))
                for interval, kept_ms in CANDLES_KEPT_MS.items():
                    connection.execute(
                        candles.delete()
                        .where(candles.c.feed == feed, candles.c.market == chart.market)
                        .where(candles.c.interval == interval.value)
                        .where(sa.not_(_around(candles.c.open_ms, chart.chart_ms, kept_ms)))
                    )
            for verdict in Verdict:
                surplus = (
                    sa.select(refusals.c.refusal_no)
                    .where(refusals.c.verdict == verdict.value)
                    .order_by(refusals.c.refusal_no.desc())
                    .offset(REFUSALS_KEPT)
                    .limit(1)
                    .scalar_subquery()
                )
                connection.execute(
                    refusals.delete().where(refusals.c.verdict == verdict.value, refusals.c.refusal_no <= surplus)
                )
            oldest_kept = (
                sa.select(quarantines.c.since_ms)
                .order_by(quarantines.c.since_ms.desc())
                .offset(QUARANTINES_KEPT)
                .limit(1)
                .scalar_subquery()
            )
            connection.execute(
                quarantines.delete().where(quarantines.c.since_ms <= oldest_kept, quarantines.c.ended_ms.is_not(None))
            )

    def _quarantines(self, *conditions: sa.ColumnElement[bool]) -> Sequence[Quarantine]:
        with self._database.read() as connection:
            rows = connection.execute(
                sa.select(quarantines)
                .where(quarantines.c.ended_ms.is_(None), *conditions)
                .order_by(quarantines.c.since_ms)
            ).all()
        return [_quarantine(row) for row in rows]

    def _replace(self, table: sa.Table, key: tuple[str, ...]) -> Any:
        statement = self._database.insert(table)
        changed = {column.name: statement.excluded[column.name] for column in table.c if column.name not in key}
        return statement.on_conflict_do_update(index_elements=key, set_=changed)


def _around(column: "sa.Column[int]", at_ms: int, kept_ms: int) -> "sa.ColumnElement[bool]":
    return column.between(at_ms - kept_ms, at_ms + kept_ms)


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__struct_fields__}


def _candle_row(feed: str, candle: Candle) -> dict[str, Any]:
    row = {**_fields(candle), "feed": feed, "interval": candle.interval.value}
    del row["complete"]
    return row


def _chart_row(batch: Batch, market: Market, chart_ms: int) -> dict[str, Any]:
    return {"market": market, "feed": batch.feed, "chart_ms": chart_ms, "updated_ms": batch.now_ms}


def _candle(row: Any, *, chart_ms: int) -> Candle:
    interval = CandleInterval(row.interval)
    return Candle(
        market=Market(row.market),
        interval=interval,
        open_ms=row.open_ms,
        open_e8=row.open_e8,
        high_e8=row.high_e8,
        low_e8=row.low_e8,
        close_e8=row.close_e8,
        ticks=row.ticks,
        complete=row.open_ms + INTERVAL_MS[interval] <= chart_ms,
    )


def _quarantine(row: Any) -> Quarantine:
    return Quarantine(
        market=Market(row.market),
        since_ms=row.since_ms,
        source=row.source,
        reference_e8=row.reference_e8,
        observed_e8=row.observed_e8,
        raw_sha256=row.raw_sha256,
    )


def _approvals(row: Any) -> tuple[Approval, ...]:
    first = (row.first_operator, row.first_reason, row.first_at_ms)
    second = (row.second_operator, row.second_reason, row.second_at_ms)
    return tuple(Approval(*approval) for approval in (first, second) if approval[0] is not None)


def _approval_columns(approvals: tuple[Approval, ...]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for nth, approval in zip(("first", "second"), (*approvals, None, None), strict=False):
        columns[f"{nth}_operator"] = approval and approval.operator
        columns[f"{nth}_reason"] = approval and approval.reason
        columns[f"{nth}_at_ms"] = approval and approval.at_ms
    return columns
