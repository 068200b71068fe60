"""Seeing the true price early pays where orders fill on the newest tick, and costs where latency exceeds the lag."""

from tests.domains.prop_engine.sniper import LAGS_MS, LATENCIES_MS, table

EXPECTED = {
    # lag: latest, next tick + 0.5 s, + 1.5 s, + 3.0 s; the signs of the execution model's own simulation
    400: "+---",
    1_000: "+---",
    2_000: "++--",
    3_000: "+++-",
}


def test_a_sniper_loses_wherever_latency_exceeds_the_oracles_lag_and_wins_elsewhere() -> None:
    found = table()
    assert {lag: "".join("+" if bp > 0 else "-" for bp in row) for lag, row in found.items()} == EXPECTED
    for lag_ms in LAGS_MS:
        for latency_ms, bp in zip(LATENCIES_MS, found[lag_ms], strict=True):
            if latency_ms is None or latency_ms + 500 < lag_ms:
                assert 20 < bp < 35, (lag_ms, latency_ms)
            if latency_ms is not None and latency_ms >= lag_ms:
                assert -26 < bp < -20, (lag_ms, latency_ms)
