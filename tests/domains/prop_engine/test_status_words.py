import msgspec
import pytest

from pump_party.domains.prop_engine.risk import RiskRules
from pump_party.domains.prop_engine.status_words import explain
from pump_party.domains.prop_interface.contract import Drawdown, StatusReason

START = 10_000_000_000
RISK = RiskRules(daily_loss_ppm=40_000, total_loss_ppm=80_000)
LOSS = {"by": "engine", "equity_micros": "9500000000", "day_start_micros": "9950000000", "peak_micros": "10700000000"}


def detail(**told: str) -> str:
    return msgspec.json.encode({"status": "paused", "before": "active", **told}).decode()


@pytest.mark.parametrize(
    ("told", "drawdown", "code", "words"),
    [
        (
            LOSS | {"reason": "DAILY_LOSS"},
            Drawdown.STATIC,
            StatusReason.DAILY_LOSS,
            "Equity was 9500 USDC, 450 below the 9950 at the start of the day (UTC); at most 400 may be lost.",
        ),
        (
            LOSS | {"reason": "TOTAL_LOSS"},
            Drawdown.STATIC,
            StatusReason.TOTAL_LOSS,
            "Equity was 9500 USDC, 500 below the 10000 at the start; at most 800 may be lost.",
        ),
        (
            LOSS | {"reason": "TOTAL_LOSS"},
            Drawdown.TRAILING,
            StatusReason.TOTAL_LOSS,
            "Equity was 9500 USDC, 1200 below the 10700 at its highest; at most 800 may be lost.",
        ),
        ({"by": "owner", "reason": ""}, Drawdown.STATIC, StatusReason.BY_OWNER, None),
        ({"by": "system", "reason": "the race is over"}, Drawdown.STATIC, StatusReason.BY_SYSTEM, "the race is over"),
    ],
)
def test_a_status_is_explained_by_a_code_and_in_words(told, drawdown, code, words):
    risk = msgspec.structs.replace(RISK, drawdown=drawdown)
    assert explain(detail(**told), risk, START) == (code, words)


def test_what_was_never_recorded_is_not_explained():
    assert explain(None, RISK, START) == (None, None)
