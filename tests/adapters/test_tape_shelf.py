"""Which tapes a server offers, and that each opens as what it says it is."""

import itertools
from pathlib import Path

import pytest
from tests.domains.backtests.tapes import MINUTE_MS, SOL, SOL_PERP, START_MS, walk

from pump_party.adapters import synthetic_tape
from pump_party.adapters.indicators import TaLibIndicators
from pump_party.adapters.tape_shelf import Stored, TapeShelf
from pump_party.domains.marketdata.perp_samples import PerpSample
from pump_party.domains.marketdata.registry import load_registry
from pump_party.kernel.errors import Invalid

REGISTRY = load_registry()
HEADER = "date,open,high,low,close,volume"
ROWS = [f"2025-05-04T15:{minute}:00+00:00,146.7,146.8,146.6,146.75,10.5" for minute in (30, 31, 33)]
AT_1530_MS = 1_746_372_600_000


def shelf(folder: Path, *, feed: Path | None = None, stored: Stored | None = None) -> TapeShelf:
    return TapeShelf(folder, feed, REGISTRY, lambda: stored)


def record(folder: Path, rows: list[str] = ROWS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "SOL-USDC-1m.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    return folder


def names(of: TapeShelf) -> list[str]:
    return [tape.name for tape in of.tapes()]


def test_a_server_without_any_recording_offers_the_made_up_month(tmp_path: Path):
    (tape,) = shelf(tmp_path / "nothing").tapes()
    assert (tape.name, tape.feed) == ("synthetic", "synthetic")
    assert {one.market for one in tape.markets} >= {SOL, SOL_PERP}


def test_folders_are_offered_by_name_with_their_span_and_follow_the_disk(tmp_path: Path):
    record(tmp_path / "may")
    of = shelf(tmp_path)
    may = of.tapes()[0]
    assert (may.name, may.feed) == ("may", "tape")
    assert {(one.from_ms, one.to_ms) for one in may.markets} == {(AT_1530_MS, AT_1530_MS + 4 * MINUTE_MS)}
    record(tmp_path / "may", ROWS[:1])
    assert {one.to_ms for one in of.tapes()[0].markets} == {AT_1530_MS + MINUTE_MS}


def test_what_cannot_be_read_or_named_is_not_offered(tmp_path: Path):
    record(tmp_path / "broken", ["garbage"])
    record(tmp_path / "stored")
    record(tmp_path / "with space")
    (tmp_path / "empty").mkdir()
    assert names(shelf(tmp_path)) == ["synthetic"]


@pytest.mark.parametrize("name", ["../outside", "/etc", "", ".", "feed", "stored", "may/../../outside"])
def test_a_name_is_never_a_path(tmp_path: Path, name: str):
    record(tmp_path / "outside")
    record(tmp_path / "tapes" / "may")
    with pytest.raises(Invalid) as refused:
        shelf(tmp_path / "tapes").open(name, TaLibIndicators(), to_ms=0, tell=lambda _name, _rows: None)
    assert refused.value.code == "tape_not_found"


def test_the_folder_of_the_servers_own_feed_is_offered(tmp_path: Path):
    feed = record(tmp_path / "elsewhere")
    of = shelf(tmp_path / "tapes", feed=feed)
    assert names(of) == ["feed", "synthetic"]
    opened = of.open("feed", TaLibIndicators(), to_ms=0, tell=lambda _name, _rows: None)
    assert (opened.feed, opened.span_ms([SOL])) == ("tape", (AT_1530_MS, AT_1530_MS + 4 * MINUTE_MS))


def test_what_was_stored_keeps_the_name_of_its_feed_and_ends_where_the_backtest_does():
    minutes, asked = walk(120), []

    def read(market: str, to_ms: int) -> list[object]:
        asked.append((market, to_ms))
        return [minute for minute in minutes if minute.open_ms < to_ms]

    to_ms = START_MS + 60 * MINUTE_MS
    sampled = [PerpSample(START_MS, 90_000, None)]
    stored = Stored("live", {SOL: (START_MS, START_MS + 120 * MINUTE_MS)}, read, lambda _market, _to_ms: sampled)  # type: ignore[arg-type]
    of = shelf(Path("nowhere"), stored=stored)
    assert [(tape.name, tape.feed) for tape in of.tapes()] == [("stored", "live"), ("synthetic", "synthetic")]
    opened = of.open("stored", TaLibIndicators(), to_ms=to_ms, tell=lambda _name, _rows: None)
    assert asked == [(SOL, to_ms)]
    assert (opened.feed, opened.span_ms([SOL])) == ("live", (START_MS, to_ms))
    assert opened.funding_1h_ppb(SOL_PERP, at_ms=START_MS + MINUTE_MS) == 90_000


def test_the_made_up_month_is_always_the_same_and_says_what_it_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(synthetic_tape, "MINUTES", 300)
    of = shelf(Path("nowhere"))
    first, again = (of.open("synthetic", TaLibIndicators(), to_ms=0, tell=lambda _name, _rows: None) for _ in range(2))
    assert first.sha256 == again.sha256
    assert first.feed == "synthetic"
    minutes = first.minutes(SOL, from_ms=synthetic_tape.FROM_MS, to_ms=synthetic_tape.FROM_MS + 300 * MINUTE_MS)
    assert all(minutes)
    pairs = itertools.pairwise(minutes)
    assert all(before.close_e8 == after.open_e8 for before, after in pairs if before and after)
    assert len({minute.close_e8 for minute in minutes if minute}) > 200
