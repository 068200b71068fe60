from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.domains.marketdata.feeds import NOW_MS, tick

from pump_party.domains.marketdata.quorum import Choice, agree, choose
from pump_party.kernel.money import format_e8


def test_one_source_is_used_two_must_agree_and_of_three_the_median_must_be_confirmed():
    # mid and confidence of each source, in configured order | price and confidence, or disagreement
    _blotter("""
        150/0.05                                   | 150 conf 0.05
        150/0.05   151.5/0.01                      | 150 conf 0.05
        150/0.05   151.6/0.01                      | disagree
        151.6/0.01 150/0.05                        | disagree
        150/0.05   150000/0.01                     | disagree
        150/0.05   150.2/0.01   150.1/0.02         | 150.1 conf 0.1
        150/0.05   150.2/0.01   150.1/0.5          | 150.1 conf 0.5
        150/0.05   150.2/0.01   150000/0.01        | 150.2 conf 0.2
        0.15/0.01  150.2/0.01   150.1/0.01         | 150.1 conf 0.1
        140/0.05   150/0.01     160/0.01           | disagree
        150/0.05   150.1/0.03   150.2/0.02  150.3/0.01 | 150.1 conf 0.1
        150/0.05   150.1/0.03   150.2/0.04  150.3/0.01 | 150.2 conf 0.1
    """)


def test_of_two_that_agree_the_second_leads_only_while_the_first_is_stale():
    first = tick("150", publish_ms=NOW_MS - 3_001)
    second = tick("150.1", publish_ms=NOW_MS - 10, source="binance")

    assert choose([first, second], now_ms=NOW_MS).tick is second
    assert choose([first, second], now_ms=NOW_MS - 1).tick is first
    assert choose([second, first], now_ms=NOW_MS).tick is second


def test_a_stale_first_source_still_leads_a_staler_second_one():
    first = tick("150", publish_ms=NOW_MS - 4_000)
    second = tick("150.1", publish_ms=NOW_MS - 5_000, source="binance")
    assert choose([first, second], now_ms=NOW_MS).tick is first


def test_a_stale_median_gives_way_to_the_nearest_fresh_price_that_confirms_it():
    stale = tick("150", conf="0.05", source="jupiter", publish_ms=NOW_MS - 3_001)
    near = tick("150.1", conf="0.01", source="binance", publish_ms=NOW_MS - 10)
    far = tick("149.8", conf="0.01", source="hyperliquid", publish_ms=NOW_MS - 10)

    assert choose([far, stale, near], now_ms=NOW_MS) == Choice(near, 10**7)
    assert choose([far, stale, near], now_ms=NOW_MS - 1).tick is stale


def test_a_stale_median_stays_where_no_fresh_price_confirms_it():
    stale = [tick(mid, source=mid, publish_ms=NOW_MS - 4_000) for mid in ("150", "150.1")]
    fresh = tick("152", source="binance", publish_ms=NOW_MS - 10)
    assert choose([fresh, *stale], now_ms=NOW_MS).tick is stale[1]


@given(st.lists(st.tuples(st.integers(1, 10**12), st.integers(0, 10**9)), min_size=1, max_size=7))
def test_the_price_is_always_one_that_a_source_published_and_never_surer_than_it(prices):
    ticks = [
        replace(tick(source=str(number)), mid_e8=mid_e8, conf_e8=conf_e8)
        for number, (mid_e8, conf_e8) in enumerate(prices)
    ]
    choice = choose(ticks, now_ms=NOW_MS)
    if choice is None:
        assert len(ticks) > 1
        return
    assert choice.tick in ticks
    assert choice.conf_e8 >= choice.tick.conf_e8
    if len(ticks) > 1:
        assert any(other is not choice.tick and agree(other.mid_e8, choice.tick.mid_e8) for other in ticks)


@given(
    good=st.lists(st.integers(149_500, 150_500), min_size=2, max_size=4),
    bad=st.integers(1, 10**12).filter(lambda mid: not 140_000 < mid < 160_000),
)
def test_one_wild_source_among_three_or_more_never_sets_the_price(good, bad):
    mids_e8 = [mid * 10**5 for mid in (bad, *good)]
    ticks = [replace(tick(source=str(number)), mid_e8=mid_e8) for number, mid_e8 in enumerate(mids_e8)]
    choice = choose(ticks, now_ms=NOW_MS)
    assert choice is not None
    assert choice.tick is not ticks[0]


def _blotter(table: str) -> None:
    for line in filter(None, (line.strip() for line in table.splitlines())):
        prices, expected = (part.strip() for part in line.split("|"))
        ticks = [
            tick(mid, conf=conf, source=str(number), publish_ms=NOW_MS - 100)
            for number, (mid, conf) in enumerate(price.split("/") for price in prices.split())
        ]
        choice = choose(ticks, now_ms=NOW_MS)
        outcome = "disagree" if choice is None else f"{format_e8(choice.tick.mid_e8)} conf {format_e8(choice.conf_e8)}"
        assert outcome == expected, line
