"""A backtest as one self-contained HTML page: figures, curve, drawdown, trades. No script, nothing fetched."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape

import msgspec

from pump_party.apps.amounts import micros_or_null
from pump_party.domains.backtests.contract import Comparison, ModelUse, Outcome, Played
from pump_party.domains.prop_interface.contract import EquityMark, FillView, ResultsView
from pump_party.kernel.money import PPM, format_e8, format_micros, format_nanos

TRADES_SHOWN_MAX = 500
WIDTH, HEIGHT, DRAWDOWN_HEIGHT, LEFT = 960, 260, 110, 84
GRID_STEPS = 4
PPM_PER_PERCENT = PPM // 100

COLOURS = ("#E8ECEF", "#56B4E9", "#E69F00", "#CC79A7", "#009E73")
DASHES = ("", "7 4", "2 3", "10 3 2 3", "4 2")

STYLE = """
:root{color-scheme:dark}body{margin:0 auto;padding:32px 20px;max-width:1040px;background:#0F1317;color:#E8ECEF;
font:14px/1.5 system-ui,sans-serif}h1{font-size:20px;margin:0}h2{font-size:16px;margin:32px 0 8px}
p{color:#9AA7B2;margin:4px 0}table{border-collapse:collapse;width:100%}th,td{padding:6px 8px;text-align:right;
border-bottom:1px solid #2A333C;white-space:nowrap}th:first-child,td:first-child{text-align:left}th{color:#9AA7B2;
font-weight:500}td{font-family:ui-monospace,monospace;font-size:13px}svg{display:block;width:100%;height:auto}
.badge{border:1px solid #66727D;padding:1px 6px;font-size:12px;color:#EFE3C8}.wide{overflow-x:auto}
.name{margin-right:16px}.name svg{display:inline;width:28px}
code{font-family:ui-monospace,monospace;font-size:12px;overflow-wrap:anywhere;color:#9AA7B2}
"""


class Line(msgspec.Struct, frozen=True):
    """A curve and what it is called."""

    name: str
    points: Sequence[tuple[int, int]]


def render_comparison(view: Comparison) -> str:
    """Several backtests of one tape and span on one page, their curves in one chart."""
    first = view.results[0].played
    outcomes = [msgspec.structs.replace(r.played.outcomes[0], name=r.backtest.name) for r in view.results]
    return render_page(msgspec.structs.replace(first, outcomes=tuple(outcomes)))


def render_page(played: Played) -> str:
    """The whole page, UTF-8 text."""
    outcomes = played.outcomes
    curves = [Line(o.name, [(m.at_ms, m.equity_micros) for m in o.results.curve]) for o in outcomes]
    if played.holding:
        curves.append(Line("held without costs", [(m.at_ms, m.equity_micros) for m in played.holding]))
    drawdowns = [Line(o.name, drawdown(o.results.curve)) for o in outcomes]
    title = ", ".join(outcome.name for outcome in outcomes)
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Backtest: {escape(title)}</title>",
        f"<meta name=viewport content='width=device-width'><style>{STYLE}</style>",
        f"<h1>Backtest: {escape(title)} <span class=badge>{escape(played.feed.upper())}</span></h1>",
        f"<p>{escape(played.tape)}, {_day(played.from_ms)} to {_day(played.to_ms)}, {played.candles:,} candles, "
        f"rules {escape(played.rule_set)}</p>",
        "<h2>Equity, USDC</h2>",
        _chart(curves, HEIGHT, lambda value: format_micros(value).partition(".")[0]),
        "<h2>Below the highest equity so far</h2>",
        _chart(drawdowns, DRAWDOWN_HEIGHT, lambda value: f"{_percent(-value)}"),
        "<h2>Figures</h2>",
        _figures(outcomes),
    ]
    for outcome in outcomes:
        parts.append(f"<h2>{escape(outcome.name)}: decisions and fills</h2>{_decisions(outcome)}{_trades(outcome)}")
        parts.append(f"<p>result</p><code>{outcome.sha256}</code>")
    return "\n".join(parts) + "\n"


def drawdown(curve: Sequence[EquityMark]) -> list[tuple[int, int]]:
    """(time, parts per million below the highest mark so far), as a negative number."""
    found, peak = [], 0
    for mark in curve:
        peak = max(peak, mark.equity_micros)
        found.append((mark.at_ms, -((peak - mark.equity_micros) * PPM // peak) if peak else 0))
    return found


def figures(results: ResultsView) -> list[tuple[str, str]]:
    """The figures of a result as people read them; what is undefined is a dash."""
    held = None if results.baselines is None else results.baselines.buy_and_hold
    market = "SOL" if results.baselines is None else results.baselines.market
    rows = [
        ("equity", micros_or_null(results.equity_micros)),
        ("return", _percent_or_none(results.return_ppm)),
        ("closing everything", _percent_or_none(results.standing_return_ppm)),
        (f"holding {market}", None if held is None else _percent(held.return_ppm)),
        ("max drawdown", _percent_or_none(results.max_drawdown_ppm)),
        ("Sharpe", results.sharpe),
        ("Sortino", results.sortino),
        ("profit factor", results.profit_factor),
        ("win rate", None if results.win_rate is None else _percent(int(results.win_rate * PPM))),
        ("exposure", _percent_or_none(results.exposure_ppm)),
        ("better than chance", results.better_than_chance),
        ("fills", results.fills),
        ("days", results.days),
        ("fees", format_micros(results.fees_micros)),
        ("funding", format_micros(results.funding_micros)),
    ]
    return [(name, "-" if value is None else str(value)) for name, value in rows]


def _figures(outcomes: Sequence[Outcome]) -> str:
    columns = [dict(figures(outcome.results)) for outcome in outcomes]
    head = "".join(f"<th>{escape(outcome.name)}" for outcome in outcomes)
    rows = "".join(f"<tr><td>{name}" + "".join(f"<td>{column[name]}" for column in columns) for name in columns[0])
    return f"<div class=wide><table><tr><th>{head}{rows}</table></div>"


def _decisions(outcome: Outcome) -> str:
    counted = ", ".join(f"{d.count:,} {d.code.replace('_', ' ')}" for d in outcome.decisions)
    return f"<p>{outcome.slots:,} slots: {escape(counted) or 'no decision'}</p>{_models(outcome.models)}"


def _models(use: ModelUse | None) -> str:
    if use is None:
        return ""
    return (
        f"<p>{use.questions:,} questions to models, {use.missing:,} decisions without an answer, {use.failed:,} with "
        f"none to use; {use.tokens_in:,} + {use.tokens_out:,} tokens, {format_micros(use.cost_micros)} USD</p>"
    )


def _trades(outcome: Outcome) -> str:
    if not outcome.fills:
        return "<p>No order was filled.</p>"
    shown = outcome.fills[-TRADES_SHOWN_MAX:]
    note = f"<p>the last {len(shown)} of {len(outcome.fills):,}</p>" if len(shown) < len(outcome.fills) else ""
    head = "<tr><th>time (UTC)<th>market<th>side<th>quantity<th>price<th>gross<th>fee<th>realised"
    return f"{note}<div class=wide><table>{head}{''.join(_trade(fill) for fill in shown)}</table></div>"


def _trade(fill: FillView) -> str:
    cells = (
        _time(fill.filled_ms),
        fill.market,
        fill.side.value,
        format_nanos(fill.quantity_nanos),
        format_e8(fill.price_e8),
        format_micros(fill.gross_micros),
        format_micros(fill.fee_micros),
        format_micros(fill.realised_pnl_micros),
    )
    return "<tr>" + "".join(f"<td>{escape(cell)}" for cell in cells)


def _chart(lines: Sequence[Line], height: int, label: Callable[[int], str]) -> str:
    """Curves over time as an SVG: straight lines between the marks, nothing smoothed, labels beside the plot."""
    drawn = [line for line in lines if line.points]
    if not drawn:
        return "<p>There is no mark to draw.</p>"
    times = [at_ms for line in drawn for at_ms, _ in line.points]
    values = [value for line in drawn for _, value in line.points]
    low, high = min(values), max(values)
    span, lasted = max(1, high - low), max(1, max(times) - min(times))

    def place(at_ms: int, value: int) -> str:
        x = LEFT + (at_ms - min(times)) * (WIDTH - LEFT) // lasted
        return f"{x},{8 + (high - value) * (height - 16) // span}"

    grid = []
    for step in range(GRID_STEPS + 1):
        value = low + span * step // GRID_STEPS
        y = place(min(times), value).partition(",")[2]
        grid.append(f"<line x1={LEFT} x2={WIDTH} y1={y} y2={y} stroke='#2A333C'/>")
        grid.append(f"<text x={LEFT - 8} y={y} dy=4 text-anchor=end fill='#9AA7B2' font-size=11>{label(value)}</text>")
    curves = [
        f"<polyline fill=none {_pen(number)} points='{' '.join(place(*point) for point in line.points)}'>"
        f"<title>{escape(line.name)}</title></polyline>"
        for number, line in enumerate(drawn)
    ]
    names = ", ".join(line.name for line in drawn)
    return (
        f"<svg viewBox='0 0 {WIDTH} {height}' role=img aria-label='{escape(names, quote=True)}'>"
        f"{''.join(grid)}{''.join(curves)}</svg>{_legend(drawn)}"
    )


def _legend(lines: Sequence[Line]) -> str:
    if len(lines) == 1:
        return ""
    marks = "".join(
        f"<span class=name><svg viewBox='0 0 28 8'><line x1=0 x2=28 y1=4 y2=4 {_pen(number)}/></svg>"
        f" {escape(line.name)}</span>"
        for number, line in enumerate(lines)
    )
    return f"<p>{marks}</p>"


def _pen(number: int) -> str:
    """Colour and dashes say who, never profit. No two of the first 25 are the same."""
    dashes = DASHES[(number + number // len(COLOURS)) % len(DASHES)]
    return f"stroke='{COLOURS[number % len(COLOURS)]}' stroke-dasharray='{dashes}' stroke-width=1.5"


def _percent(ppm: int) -> str:
    """Two decimals, towards zero."""
    hundredths = abs(ppm) * 100 // PPM_PER_PERCENT
    sign = "-" if ppm < 0 and hundredths else ""
    return f"{sign}{hundredths // 100}.{hundredths % 100:02d} %"


def _percent_or_none(ppm: int | None) -> str | None:
    return None if ppm is None else _percent(ppm)


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
