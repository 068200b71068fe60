"""What the vectors say of prices: how they come to e8, which ticks are admitted (sections `normalise`, `admit`)."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pump_party.domains.marketdata.admission import CONFIRMATIONS, admit
from pump_party.domains.marketdata.model import Tick
from pump_party.domains.marketdata.normalise import normalise
from pump_party.kernel.conformance import (
    Check,
    Integer,
    NotNegative,
    Outcome,
    Vectors,
    cases_of,
    expected_of,
    malformed,
    read,
)
from pump_party.kernel.ids import Market


class _Published(msgspec.Struct, frozen=True):
    price: Integer
    conf: Integer
    expo: Integer


class _Normalise(msgspec.Struct, frozen=True):
    input: _Published


class _Tick(msgspec.Struct, frozen=True):
    mid: Integer
    conf: Integer
    publish_ms: Integer
    slot: NotNegative = 0
    recv_ms: Integer = 0

    def tick(self) -> Tick:
        return Tick(Market("SOL-USDC"), self.mid, self.conf, self.publish_ms, self.slot, self.recv_ms, "vectors", "")


class _Admit(msgspec.Struct, frozen=True):
    tick: _Tick
    now_ms: Integer
    prev: _Tick | None = None


class _Limits(msgspec.Struct, frozen=True):
    max_future_ms: NotNegative
    jump_ppm: NotNegative


class _Params(msgspec.Struct, frozen=True):
    spot: _Limits


def _check_params(vectors: Vectors) -> Iterator[Outcome]:
    """The one number of admission that is not a parameter here."""
    for name, params in read(vectors["params"], dict[str, dict[str, Any]], section="params").items():
        if "jump_confirm_ticks" in params:
            confirmations = {"jump_confirm_ticks": CONFIRMATIONS}
            yield Outcome(name, {"jump_confirm_ticks": params["jump_confirm_ticks"]}, confirmations)


def _check_normalise(vectors: Vectors) -> Iterator[Outcome]:
    for case, row in cases_of(vectors, "normalise"):
        given = read(row, _Normalise, section="normalise", case=case).input
        try:
            mid_e8, conf_e8 = normalise(given.price, given.conf, given.expo)
        except ValueError as error:
            raise malformed(str(error), section="normalise", case=case, field="input") from error
        expected = expected_of(row, section="normalise", case=case)
        yield Outcome(case, expected, {"mid_e8": mid_e8, "conf_e8": conf_e8})


def _check_admit(vectors: Vectors) -> Iterator[Outcome]:
    """The tick before is of the same source and was admitted."""
    limits = read(vectors.get("params"), _Params, section="params").spot
    for case, row in cases_of(vectors, "admit"):
        given = read(row, _Admit, section="admit", case=case)
        verdict = admit(
            given.tick.tick(),
            previous=given.prev.tick() if given.prev else None,
            reference_e8=given.prev.mid if given.prev else None,
            now_ms=given.now_ms,
            future_ms_max=limits.max_future_ms,
            jump_ppm_max=limits.jump_ppm,
        )
        yield Outcome(case, expected_of(row, section="admit", case=case), verdict.value)


CHECKS: Mapping[str, Check] = {"params": _check_params, "normalise": _check_normalise, "admit": _check_admit}
