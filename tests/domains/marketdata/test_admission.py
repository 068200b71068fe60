from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.domains.marketdata.feeds import NOW_MS, SOL, e8, tick

from pump_party.domains.marketdata.admission import CONFIRMATIONS, Verdict, Watch, admit, observe, resume
from pump_party.domains.marketdata.model import Tick
from pump_party.kernel.money import INT64_MAX


def test_every_admission_vector_gives_exactly_its_verdict(spec_vectors):
    assert spec_vectors["admit"]
    for vector in spec_vectors["admit"]:
        previous = _from_vector(vector["prev"])
        verdict = admit(
            _from_vector(vector["tick"]),
            previous=previous,
            reference_e8=previous.mid_e8,
            now_ms=vector["now_ms"],
        )
        assert verdict == vector["out"], vector["name"]


def test_the_vectors_hold_for_a_market_that_has_seen_the_previous_tick(spec_vectors):
    for vector in spec_vectors["admit"]:
        previous = _from_vector(vector["prev"])
        watch, first = observe(Watch(), previous, now_ms=vector["now_ms"])
        assert first is Verdict.ADMIT
        _, verdict = observe(watch, _from_vector(vector["tick"]), now_ms=vector["now_ms"])
        assert verdict == vector["out"], vector["name"]


def test_each_check_loses_to_the_one_before_it():
    # previous is 150 published at 0 ms, slot 5; now is 1,000 ms
    # mid      publish  slot | verdict
    _verdicts("""
        151      1000     0    | ADMIT
        157.5    1000     0    | ADMIT
        142.5    1000     0    | ADMIT
        157.51   1000     0    | QUARANTINE_JUMP
        142.49   1000     0    | QUARANTINE_JUMP
        150000   1000     0    | QUARANTINE_JUMP
        151      0        6    | ADMIT
        151      0        5    | DROP_DUPLICATE
        150000   0        5    | DROP_DUPLICATE
        151      0        4    | DROP_OUT_OF_ORDER
        150000   -1       9    | DROP_OUT_OF_ORDER
        151      3000     0    | ADMIT
        151      3001     0    | DROP_FUTURE
        150000   3001     0    | DROP_FUTURE
        0        3001     0    | DROP_NONPOSITIVE
        -150     0        5    | DROP_NONPOSITIVE
    """)


def test_what_no_price_can_be_is_dropped_before_anything_else():
    too_large = replace(tick(), mid_e8=INT64_MAX + 1)
    negative_confidence = replace(tick(), conf_e8=-1)
    for one in (too_large, negative_confidence):
        assert admit(one, previous=None, reference_e8=None, now_ms=NOW_MS) is Verdict.DROP_NONPOSITIVE


def test_a_jump_halts_until_a_level_holds_for_three_ticks_and_a_second_source_confirms_it():
    # each: source and mid, one tick a second | verdict and whether quarantined after it
    _story("""
        hyperliquid 150   | ADMIT
        binance 150.1     | ADMIT
        hyperliquid 170   | QUARANTINE_JUMP halted
        hyperliquid 170.1 | QUARANTINE_JUMP halted
        hyperliquid 170.2 | QUARANTINE_JUMP halted
        hyperliquid 170.1 | QUARANTINE_JUMP halted
        binance 170.2     | ADMIT
        hyperliquid 170.3 | ADMIT
        binance 170.4     | ADMIT
    """)


def test_a_single_bad_tick_halts_until_the_old_level_is_confirmed():
    _story("""
        hyperliquid 150      | ADMIT
        binance 150          | ADMIT
        hyperliquid 150000   | QUARANTINE_JUMP halted
        hyperliquid 150      | ADMIT halted
        binance 150          | ADMIT halted
        hyperliquid 150.1    | ADMIT halted
        hyperliquid 150.2    | ADMIT
        hyperliquid 150      | ADMIT
    """)


def test_ticks_further_apart_than_one_percent_do_not_count_as_a_level():
    _story("""
        hyperliquid 150   | ADMIT
        hyperliquid 170   | QUARANTINE_JUMP halted
        binance 170       | QUARANTINE_JUMP halted
        hyperliquid 172   | QUARANTINE_JUMP halted
        hyperliquid 170   | QUARANTINE_JUMP halted
        hyperliquid 172   | QUARANTINE_JUMP halted
        hyperliquid 172   | QUARANTINE_JUMP halted
        hyperliquid 172   | QUARANTINE_JUMP halted
        binance 171.9     | ADMIT
    """)


def test_a_second_source_that_says_something_else_confirms_nothing():
    _story("""
        hyperliquid 150   | ADMIT
        binance 150       | ADMIT
        hyperliquid 170   | QUARANTINE_JUMP halted
        binance 150       | ADMIT halted
        hyperliquid 170   | QUARANTINE_JUMP halted
        binance 150       | ADMIT halted
        hyperliquid 170   | QUARANTINE_JUMP halted
        binance 150       | ADMIT halted
        hyperliquid 170   | QUARANTINE_JUMP halted
    """)


def test_one_source_alone_never_ends_a_quarantine():
    _story(
        "hyperliquid 150 | ADMIT\n" + "hyperliquid 170 | QUARANTINE_JUMP halted\n" * 50,
    )


def test_two_sources_outvote_a_third_whose_jumps_then_halt_nobody():
    _story("""
        hyperliquid 150   | ADMIT
        binance 150       | ADMIT
        pyth 150000       | QUARANTINE_JUMP halted
        hyperliquid 150   | ADMIT halted
        binance 150       | ADMIT halted
        pyth 150000       | QUARANTINE_JUMP halted
        hyperliquid 150   | ADMIT halted
        hyperliquid 150   | ADMIT
        pyth 150000       | QUARANTINE_JUMP
        binance 150       | ADMIT
        pyth 151          | ADMIT
        pyth 150000       | QUARANTINE_JUMP halted
    """)


def test_a_bad_tick_sent_again_and_again_counts_once():
    watch, _ = observe(Watch(), tick("150"), now_ms=NOW_MS)
    bad = tick("170", publish_ms=NOW_MS + 1_000)
    watch, verdict = observe(watch, bad, now_ms=NOW_MS + 1_000)
    assert verdict is Verdict.QUARANTINE_JUMP
    watch, _ = observe(watch, replace(bad, source="binance"), now_ms=NOW_MS + 1_000)
    for _ in range(CONFIRMATIONS):
        watch, verdict = observe(watch, bad, now_ms=NOW_MS + 1_000)
        assert verdict is Verdict.DROP_DUPLICATE
    assert watch.quarantine is not None


def test_a_confirmation_that_is_older_than_ten_seconds_no_longer_counts():
    second = 1_000
    watch, _ = observe(Watch(), tick("150"), now_ms=NOW_MS)
    for source, at_ms in (("hyperliquid", 1 * second), ("binance", 2 * second), ("hyperliquid", 3 * second)):
        one = tick("170", publish_ms=NOW_MS + at_ms, source=source)
        watch, _ = observe(watch, one, now_ms=NOW_MS + at_ms)
    late = tick("170", publish_ms=NOW_MS + 12_001)
    assert observe(watch, late, now_ms=NOW_MS + 12_001)[0].quarantine is not None
    in_time = tick("170", publish_ms=NOW_MS + 12_000)
    assert observe(watch, in_time, now_ms=NOW_MS + 12_000)[0].quarantine is None


def test_operators_resume_at_the_level_the_next_tick_has():
    watch, _ = observe(Watch(), tick("150"), now_ms=NOW_MS)
    watch, _ = observe(watch, tick("170", publish_ms=NOW_MS + 1), now_ms=NOW_MS + 1)
    watch, verdict = observe(resume(watch), tick("171", publish_ms=NOW_MS + 2), now_ms=NOW_MS + 2)
    assert verdict is Verdict.ADMIT
    assert watch.quarantine is None
    assert watch.reference_e8 == e8("171")
    _, old = observe(watch, tick("171", publish_ms=NOW_MS), now_ms=NOW_MS + 2)
    assert old is Verdict.DROP_OUT_OF_ORDER


def test_a_tape_that_starts_again_or_skips_a_hole_is_a_new_pass_and_not_a_jump():
    hour = 3_600_000
    watch, _ = observe(Watch(), tick("150", tape_ms=10 * hour), now_ms=NOW_MS)
    for number, (mid, tape_ms) in enumerate((("100", 0), ("200", 2 * hour), ("100", 2 * hour - 1)), start=1):
        watch, verdict = observe(watch, tick(mid, publish_ms=NOW_MS + number, tape_ms=tape_ms), now_ms=NOW_MS + number)
        assert verdict is Verdict.ADMIT
        assert watch.passes == number


def test_a_new_pass_ends_a_quarantine_of_the_pass_before():
    watch, _ = observe(Watch(), tick("150", tape_ms=60_000), now_ms=NOW_MS)
    watch, _ = observe(watch, tick("170", publish_ms=NOW_MS + 1, tape_ms=61_000), now_ms=NOW_MS + 1)
    assert watch.quarantine is not None
    watch, verdict = observe(watch, tick("150", publish_ms=NOW_MS + 2, tape_ms=0), now_ms=NOW_MS + 2)
    assert verdict is Verdict.ADMIT
    assert watch.quarantine is None


def test_a_replayed_tick_out_of_order_is_dropped_and_begins_no_pass():
    watch, _ = observe(Watch(), tick("150", publish_ms=NOW_MS, tape_ms=60_000), now_ms=NOW_MS)
    watch, verdict = observe(watch, tick("100", publish_ms=NOW_MS - 1, tape_ms=0), now_ms=NOW_MS)
    assert verdict is Verdict.DROP_OUT_OF_ORDER
    assert watch.passes == 0


@dataclass
class _Step:
    source: int
    mid: int
    publish_after_ms: int


@given(
    st.lists(
        st.builds(
            _Step,
            source=st.integers(0, 2),
            mid=st.sampled_from([0, -5, 1, 14_800, 15_000, 15_100, 15_300, 17_000, 17_100, 15_000_000]),
            publish_after_ms=st.integers(-3_000, 3_000),
        ),
        max_size=60,
    )
)
def test_no_refused_tick_ever_becomes_a_reference_or_an_admitted_price(steps):
    watch, now_ms = Watch(), NOW_MS
    refused = set()
    for number, step in enumerate(steps):
        now_ms += 100
        one = replace(
            tick(source=f"s{step.source}", publish_ms=now_ms + step.publish_after_ms, slot=number),
            mid_e8=step.mid * 10**6,
        )
        before = watch
        watch, verdict = observe(watch, one, now_ms=now_ms)
        if verdict is Verdict.ADMIT:
            assert watch.reference_e8 == one.mid_e8 > 0
            assert watch.sources[one.source].admitted is one
        else:
            refused.add(id(one))
            assert watch.reference_e8 == before.reference_e8
        assert not {id(source.admitted) for source in watch.sources.values()} & refused
        if before.quarantine is None and watch.quarantine is not None:
            assert verdict is Verdict.QUARANTINE_JUMP
        if before.quarantine is not None and watch.quarantine is None:
            assert len([name for name, source in watch.sources.items() if not source.suspect]) >= 2
        steps[number] = one  # keep it alive, so that its id stays its own


def _from_vector(values: dict[str, int]) -> Tick:
    return Tick(
        market=SOL,
        mid_e8=values["mid"],
        conf_e8=values["conf"],
        publish_ms=values["publish_ms"],
        slot=values["slot"],
        recv_ms=values["recv_ms"],
        source="pyth",
        raw_sha256="00" * 32,
    )


def _verdicts(table: str) -> None:
    previous = tick("150", publish_ms=NOW_MS, slot=5)
    for line in filter(None, (line.strip() for line in table.splitlines())):
        left, expected = (part.strip() for part in line.split("|"))
        mid, publish, slot = left.split()
        one = tick(mid.removeprefix("-"), publish_ms=NOW_MS + int(publish), slot=int(slot))
        one = replace(one, mid_e8=-one.mid_e8) if mid.startswith("-") else one
        verdict = admit(one, previous=previous, reference_e8=previous.mid_e8, now_ms=NOW_MS + 1_000)
        assert verdict == expected, line


def _story(table: str) -> None:
    watch, now_ms = Watch(), NOW_MS
    for line in filter(None, (line.strip() for line in table.splitlines())):
        left, expected = (part.strip() for part in line.split("|"))
        source, mid = left.split()
        now_ms += 1_000
        watch, verdict = observe(watch, tick(mid, publish_ms=now_ms, source=source), now_ms=now_ms)
        outcome = f"{verdict} halted" if watch.quarantine else str(verdict)
        assert outcome == expected, line
