"""Which ticks are prices, and when a market is quarantined (execution model, section 4).

Order of a tick is (publish_ms, slot), per source. A jump is measured against the last admitted mid of the market,
whichever source it came from, and quarantines the market until two sources confirm a level or operators resume it.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from pump_party.domains.marketdata.contract import FEED_SILENT_MS
from pump_party.domains.marketdata.model import Tick
from pump_party.domains.marketdata.quorum import agree
from pump_party.kernel.ids import Market
from pump_party.kernel.money import INT64_MAX, PPM

FUTURE_MS_MAX = 2_000
JUMP_PPM_MAX = 50_000
CONFIRMATIONS = 3
TAPE_LEAP_MS_MAX = 600_000
"""A replayed tape that leaps further than this begins a new pass, as does one that goes back."""


class Verdict(StrEnum):
    """What becomes of a tick, in the order the checks are made after ADMIT."""

    ADMIT = "ADMIT"
    DROP_NONPOSITIVE = "DROP_NONPOSITIVE"
    DROP_FUTURE = "DROP_FUTURE"
    DROP_DUPLICATE = "DROP_DUPLICATE"
    DROP_OUT_OF_ORDER = "DROP_OUT_OF_ORDER"
    QUARANTINE_JUMP = "QUARANTINE_JUMP"


class Quarantine(msgspec.Struct, frozen=True):
    """The jump that halted a market, and what it jumped from."""

    market: Market
    since_ms: int
    source: str
    reference_e8: int
    observed_e8: int
    raw_sha256: str


class SourceWatch(msgspec.Struct, frozen=True):
    """One source of a market.

    `newest` is its newest tick in order, admitted or quarantined: a repeated bad tick must not count twice.
    `admitted` is what the quorum may use. `run` are its last mids since the quarantine began. A `suspect` source was
    outvoted when the quarantine ended: its jumps are refused without halting the market again.
    """

    newest: Tick
    admitted: Tick | None
    run: tuple[int, ...] = ()
    suspect: bool = False


class Watch(msgspec.Struct, frozen=True):
    """What admission remembers of a market. `reference_e8` is the last admitted mid; passes are of a tape."""

    reference_e8: int | None = None
    quarantine: Quarantine | None = None
    sources: Mapping[str, SourceWatch] = {}
    passes: int = 0


def admit(
    tick: Tick,
    *,
    previous: Tick | None,
    reference_e8: int | None,
    now_ms: int,
    future_ms_max: int = FUTURE_MS_MAX,
    jump_ppm_max: int = JUMP_PPM_MAX,
) -> Verdict:
    """Judge one tick by the source's `previous` one and the market's last admitted mid."""
    if not 0 < tick.mid_e8 <= INT64_MAX or not 0 <= tick.conf_e8 <= INT64_MAX:
        return Verdict.DROP_NONPOSITIVE
    if tick.publish_ms > now_ms + future_ms_max:
        return Verdict.DROP_FUTURE
    if previous is not None:
        if tick.publish_ms == previous.publish_ms and tick.slot == previous.slot:
            return Verdict.DROP_DUPLICATE
        if (tick.publish_ms, tick.slot) < (previous.publish_ms, previous.slot):
            return Verdict.DROP_OUT_OF_ORDER
    if reference_e8 is not None and abs(tick.mid_e8 - reference_e8) * PPM > jump_ppm_max * reference_e8:
        return Verdict.QUARANTINE_JUMP
    return Verdict.ADMIT


def observe(watch: Watch, tick: Tick, *, now_ms: int) -> tuple[Watch, Verdict]:
    """Judge a tick and move the market on: into quarantine, out of it, or to the new price."""
    seen = watch.sources.get(tick.source)
    previous = seen.newest if seen else None
    verdict = admit(tick, previous=previous, reference_e8=watch.reference_e8, now_ms=now_ms)
    if verdict not in (Verdict.ADMIT, Verdict.QUARANTINE_JUMP):
        return watch, verdict
    if previous is not None and begins_new_pass(previous, tick):
        return _accept(Watch(passes=watch.passes + 1), tick), Verdict.ADMIT
    if watch.quarantine is not None:
        watch = _extend_run(watch, tick)
        if _is_confirmed(watch, tick, now_ms=now_ms):
            return _accept(_end_quarantine(watch, tick), tick), Verdict.ADMIT
    if verdict is Verdict.QUARANTINE_JUMP:
        return _refuse_jump(watch, tick, now_ms=now_ms), verdict
    return _accept(watch, tick), verdict


def begins_new_pass(previous: Tick, tick: Tick) -> bool:
    """Whether a replayed tape started again or skipped a hole: prices before say nothing about prices after."""
    if tick.tape_ms is None or previous.tape_ms is None:
        return False
    return not 0 <= tick.tape_ms - previous.tape_ms <= TAPE_LEAP_MS_MAX


def resume(watch: Watch) -> Watch:
    """End a quarantine by decision of the operators: the next tick sets the level, and sources must agree again."""
    sources = {name: SourceWatch(newest=source.newest, admitted=None) for name, source in watch.sources.items()}
    return replace(watch, reference_e8=None, quarantine=None, sources=sources)


def _accept(watch: Watch, tick: Tick) -> Watch:
    seen = watch.sources.get(tick.source)
    source = SourceWatch(newest=tick, admitted=tick, run=seen.run if seen else ())
    return replace(watch, reference_e8=tick.mid_e8, sources={**watch.sources, tick.source: source})


def _refuse_jump(watch: Watch, tick: Tick, *, now_ms: int) -> Watch:
    seen = watch.sources.get(tick.source) or SourceWatch(newest=tick, admitted=None)
    source = replace(seen, newest=tick)
    sources = {**watch.sources, tick.source: source}
    if watch.quarantine is not None or source.suspect:
        return replace(watch, sources=sources)
    assert watch.reference_e8 is not None
    quarantine = Quarantine(
        market=tick.market,
        since_ms=now_ms,
        source=tick.source,
        reference_e8=watch.reference_e8,
        observed_e8=tick.mid_e8,
        raw_sha256=tick.raw_sha256,
    )
    sources = {name: replace(other, run=()) for name, other in sources.items()}
    sources[tick.source] = replace(source, run=(tick.mid_e8,))
    return replace(watch, quarantine=quarantine, sources=sources)


def _extend_run(watch: Watch, tick: Tick) -> Watch:
    seen = watch.sources.get(tick.source)
    run = (*(seen.run if seen else ()), tick.mid_e8)[-CONFIRMATIONS:]
    source = SourceWatch(newest=tick, admitted=seen.admitted if seen else None, run=run)
    return replace(watch, sources={**watch.sources, tick.source: source})


def _is_confirmed(watch: Watch, tick: Tick, *, now_ms: int) -> bool:
    """Whether this tick's source and another one agree, and one of the two has held still for CONFIRMATIONS ticks."""
    own = watch.sources[tick.source]
    for name, other in watch.sources.items():
        if name == tick.source or not other.run or now_ms - other.newest.recv_ms > FEED_SILENT_MS:
            continue
        if agree(tick.mid_e8, other.run[-1]) and (_holds_still(own.run) or _holds_still(other.run)):
            return True
    return False


def _holds_still(run: tuple[int, ...]) -> bool:
    return len(run) == CONFIRMATIONS and agree(min(run), max(run))


def _end_quarantine(watch: Watch, tick: Tick) -> Watch:
    # The others come back with their next tick: what they said before belongs to the level that was in doubt.
    sources = {
        name: SourceWatch(
            newest=source.newest, admitted=None, suspect=not (source.run and agree(source.run[-1], tick.mid_e8))
        )
        for name, source in watch.sources.items()
    }
    return replace(watch, quarantine=None, sources=sources)
