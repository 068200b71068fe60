"""`pump-party backtest`: play strategies over recorded minutes, and report in the terminal, as JSON or as a page."""

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pump_party.config import Settings
from pump_party.kernel.errors import Invalid
from pump_party.kernel.money import format_micros

if TYPE_CHECKING:
    from pump_party.domains.backtests.contract import AskedNow, Played

STRATEGIES_MAX = 100
EXIT_CANNOT_START = 2
BAR_CHARS = 30
REDRAW_S = 0.1

DESCRIPTION = """\
Every strategy gets an account of its own and trades the same tape at the same time, by the code that decides and fills
live: no fill on a price that could have been seen, fees, spread and impact included. The same tape, strategy and rules
give the same result hash on every machine. Prompts go by the answers that are kept in the data folder; without
--ask-models nobody is asked, and a decision without an answer is left out.

examples:
  pump-party backtest house:momentum --tape recordings
  pump-party backtest mine.json house:buy_and_hold --tape recordings --html report.html
  pump-party backtest thinking.json --tape recordings --ask-models
  pump-party backtest mine.json --tape recordings --from 2025-05-10 --to 2025-05-20 --json

house strategies: momentum, mean_reversion, breakout, funding_carry, rebalance, buy_and_hold, random
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Declare the command."""
    command = subparsers.add_parser(
        "backtest",
        help="play strategies over recorded prices, by the code that decides and fills live",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("strategies", nargs="+", metavar="STRATEGY", help="a strategy's JSON file, or house:NAME")
    command.add_argument("--tape", required=True, type=Path, metavar="DIR", help="folder of one-minute candles")
    command.add_argument("--from", dest="from_ms", type=_time, metavar="DATE", help="first minute, UTC (ISO 8601)")
    command.add_argument("--to", dest="to_ms", type=_time, metavar="DATE", help="end, UTC (ISO 8601)")
    command.add_argument("--rule-set", metavar="NAME", help="rules of the accounts (default practice-next-v1)")
    command.add_argument("--html", type=Path, metavar="FILE", help="write a page with charts as well")
    command.add_argument(
        "--ask-models", action="store_true", help="ask the models of prompts for answers that are not kept yet (costs)"
    )
    command.add_argument("--json", action="store_true", help="print JSON")
    return command


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Returns 0, or 2 for a strategy that cannot run. Raises Refusal for what cannot be played."""
    from pump_party.bootstrap.backtests import load_strategy, play_backtest
    from pump_party.domains.backtests.contract import UseModels
    from pump_party.domains.clones.contract import InvalidStrategy

    if len(options.strategies) > STRATEGIES_MAX:
        raise Invalid(f"at most {STRATEGIES_MAX} strategies at once", field="strategy")
    if options.from_ms is not None and options.to_ms is not None and options.from_ms >= options.to_ms:
        raise Invalid("--from is not before --to", field="from")
    strategies = []
    for source in options.strategies:
        try:
            strategies.append(load_strategy(source))
        except InvalidStrategy as invalid:
            print(f"{source} cannot run:", file=sys.stderr)
            for problem in invalid.problems:
                print(f"  {problem.path or 'strategy'}: {problem.message} ({problem.code})", file=sys.stderr)
            return EXIT_CANNOT_START
    bar = _Bar(shown=sys.stderr.isatty())
    started = time.monotonic()
    played, asked = play_backtest(
        strategies,
        options.tape,
        from_ms=options.from_ms,
        to_ms=options.to_ms,
        rule_set=options.rule_set,
        progress=bar.show,
        settings=settings,
        use_models=UseModels.ASK if options.ask_models else UseModels.RECORDED,
    )
    bar.clear()
    if options.html is not None:
        from pump_party.apps.backtest_page import render_page

        options.html.write_text(render_page(played), encoding="utf-8")
    if options.json:
        print(msgspec.json.encode(_report(played, asked)).decode())
        return 0
    _print(played, time.monotonic() - started)
    _print_models(played, asked)
    if options.html is not None:
        print(f"page  {options.html}")
    return 0


class _Bar:
    """One line of progress on a terminal, nothing where nobody watches."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._drawn_at = 0.0

    def show(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if not self._shown or (now - self._drawn_at < REDRAW_S and done != total):
            return
        self._drawn_at = now
        if total:
            filled = done * BAR_CHARS // total
            text = f"{what} [{'#' * filled}{'.' * (BAR_CHARS - filled)}] {done * 100 // total} %"
        else:
            text = f"{what} {done:,}"
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _report(played: "Played", asked: "AskedNow | None") -> dict[str, object]:
    """The first strategy's figures stand on top, where a script looks for them; `outcomes` holds all."""
    from pump_party.apps.api.schemas.results import render_results
    from pump_party.apps.backtest_wire import render_asked, render_model_use

    outcomes = [
        {
            "name": outcome.name,
            "result_hash": outcome.sha256,
            "slots": outcome.slots,
            "decisions": {decision.code: decision.count for decision in outcome.decisions},
            "metrics": render_results(outcome.results),
            "models": None if outcome.models is None else render_model_use(outcome.models),
        }
        for outcome in played.outcomes
    ]
    return {
        "tape": played.tape,
        "tape_sha256": played.tape_sha256,
        "feed": played.feed,
        "rule_set": played.rule_set,
        "from_ms": played.from_ms,
        "to_ms": played.to_ms,
        "candles": played.candles,
        "result_hash": outcomes[0]["result_hash"],
        "metrics": outcomes[0]["metrics"],
        "outcomes": outcomes,
        "asked": None if asked is None else render_asked(asked),
    }


def _print(played: "Played", seconds: float) -> None:
    from pump_party.apps.backtest_page import figures

    columns = [dict(figures(outcome.results)) for outcome in played.outcomes]
    names = [outcome.name for outcome in played.outcomes]
    widths = [
        max(len(name), *(len(text) for text in column.values())) for name, column in zip(names, columns, strict=True)
    ]
    label = max(map(len, columns[0]))
    print(
        f"{played.tape} ({played.feed.upper()}), {_day(played.from_ms)} to {_day(played.to_ms)} UTC, {played.rule_set}"
    )
    print(f"{played.candles:,} candles in {seconds:.1f} s\n")
    print(" " * label, *(name.rjust(width) for name, width in zip(names, widths, strict=True)), sep="  ")
    for name in columns[0]:
        cells = (column[name].rjust(width) for column, width in zip(columns, widths, strict=True))
        print(name.ljust(label), *cells, sep="  ")
    print()
    for outcome in played.outcomes:
        print(f"result  {outcome.sha256}  {outcome.name}")


def _print_models(played: "Played", asked: "AskedNow | None") -> None:
    for outcome in played.outcomes:
        use = outcome.models
        if use is not None:
            told = f"{use.questions:,} questions, {use.missing:,} decisions without an answer, {use.failed:,} failed"
            spent = f"{use.tokens_in:,} + {use.tokens_out:,} tokens, {format_micros(use.cost_micros)} USD when asked"
            print(f"models  {told}; {spent}  {outcome.name}")
    if asked is not None:
        unpriced = f", {asked.unpriced:,} without a known price" if asked.unpriced else ""
        stopped = f"; asked no more: {asked.stopped}" if asked.stopped else ""
        print(f"asked   {asked.calls:,} calls, {format_micros(asked.cost_micros)} USD{unpriced}{stopped}")


def _time(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a date such as 2025-05-10 or 2025-05-10T12:00") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return int(at.timestamp()) // 60 * 60_000


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M")
