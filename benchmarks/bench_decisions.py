"""A slot of 1,000 clones of rules over six markets, and 200 models asked at once: from the slot to the last commit.

Real database, engine and object store; market memory stands still (it has its own benchmark) and the models are a
server in another process that answers after two seconds, asked through the real adapter.
"""

import cProfile
import pstats
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.db.platform import MODEL, Platform
from tests.domains.aitrading.worlds import MARKETS, RSI, prompt_strategy, rule_strategy

from benchmarks.model_stub import LATENCY_S, model_stub
from benchmarks.report import AT_MOST, Row, Target
from pump_party.adapters.model_providers import ModelAccess
from pump_party.adapters.models import PydanticModels
from pump_party.db.engine import Database
from pump_party.db.migrate import upgrade
from pump_party.domains.aitrading.slots import SETTLE_MS, next_slot_ms
from pump_party.domains.clones.contract import Clause, Compare, FeatureOperand, NumberOperand, Op
from pump_party.domains.clones.contract import Target as Position
from pump_party.domains.marketdata.contract import FeatureUnit
from pump_party.kernel.ids import UserId
from pump_party.platform.clock import ManualClock

CLONES, CLONES_QUICK = 1_000, 200
SLOTS, SLOTS_QUICK = 7, 3
CADENCE_S = 60
START_MS = 1_750_003_200_000
SLOT_TARGET_S = 3.0
MODELS = 200
MODEL_SLOTS = 3
MODELS_TARGET_S = 1.3 * LATENCY_S
STAGES = {
    "situations": "accounts read",
    "_one": "decided and gated",
    "put": "contexts kept and sealed",
    "submit_many": "orders",
    "record": "runs committed",
}
"""Functions of the profile, by what is done in them."""


def run(*, quick: bool) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="pump-party-bench-") as folder:
        return [*_rules(Path(folder), quick=quick), *_models(Path(folder))]


def _rules(folder: Path, *, quick: bool) -> list[Row]:
    count = CLONES_QUICK if quick else CLONES
    with _platform(folder / "rules") as platform:
        strategies = [_rule(share) for share in (40_000, 60_000, 80_000)]
        for number in range(count):
            platform.deploy(strategies[number % 3], f"clone-{number}", UserId(f"owner-{number // 20}"))
        all_at_once = _slot(platform, acting=len(MARKETS), level=75)
        samples = [
            _slot(platform, acting=1, level=75 if n % 2 else 85, first=n)
            for n in range(SLOTS_QUICK if quick else SLOTS)
        ]
        quiet = [_slot(platform, acting=0, level=50) for _ in range(3)]
        profile = _profiled(platform)
    return [
        Row(
            name=f"{count:,} clones, 6 markets, an order each",
            unit="s",
            samples=tuple(samples),
            target=Target(AT_MOST, SLOT_TARGET_S, of_ratio=False),
            note=profile,
        ),
        Row(name=f"{count:,} clones, 6 markets, six orders each", unit="s", samples=(all_at_once,)),
        Row(name=f"{count:,} clones, 6 markets, nobody acts", unit="s", samples=tuple(quiet)),
    ]


def _rule(share_ppm: int):  # type: ignore[no-untyped-def]
    """Moves to one share of equity or to half of it, where the market says so; else holds."""

    def above(index: str) -> Compare:
        return Compare(FeatureOperand(RSI), Op.ABOVE, NumberOperand(index, FeatureUnit.INDEX))

    clauses = (Clause(above("80"), Position(share_ppm // 2)), Clause(above("70"), Position(share_ppm)))
    return rule_strategy(*clauses, markets=MARKETS, cadence_s=CADENCE_S)


def _slot(platform: Platform, *, acting: int, level: int, first: int = 0) -> float:
    """Work off the next slot, in which so many markets make clones act, then let its orders fill. Returns seconds."""
    markets = [MARKETS[(first + n) % len(MARKETS)] for n in range(acting)]
    job = _next_job(platform, dict.fromkeys(markets, level))
    started = time.perf_counter()
    platform.work.work_off(job)
    seconds = time.perf_counter() - started
    platform.tick()
    return seconds


def _next_job(platform: Platform, levels: dict):  # type: ignore[no-untyped-def, type-arg]
    index = {market: levels.get(market, 50) * 1_000_000 for market in MARKETS}
    platform.memory.values = {market: {"rsi": (value, value)} for market, value in index.items()}
    slot_ms = next_slot_ms(platform.clock.now_ms(), CADENCE_S)
    platform.clock.advance(slot_ms + SETTLE_MS - platform.clock.now_ms())
    platform.show()
    (job,) = platform.work.due_slots()
    return job


def _profiled(platform: Platform) -> str:
    job = _next_job(platform, {MARKETS[0]: 75})
    profiler = cProfile.Profile()
    profiler.enable()
    platform.work.work_off(job)
    profiler.disable()
    stats = pstats.Stats(profiler)
    total = stats.total_tt  # type: ignore[attr-defined]
    spent: dict[str, float] = {}
    for (path, _, function), (_, _, _, cumulative, _) in stats.stats.items():  # type: ignore[attr-defined]
        if function in STAGES and ("aitrading" in path or "fleet" in path or "sealed_objects" in path):
            spent[function] = max(spent.get(function, 0.0), cumulative)
    shares = ", ".join(f"{what} {spent.get(name, 0.0) / total:.0%}" for name, what in STAGES.items())
    return f"Under a profiler: {shares}."


def _models(folder: Path) -> list[Row]:
    with model_stub() as url, _platform(folder / "models") as platform:
        client = PydanticModels(ModelAccess((MODEL,), {"openai": "key"}, {"openai": url}))
        platform.model = client  # type: ignore[assignment]
        platform.restart()
        platform.work.prepare()
        for number in range(MODELS):
            platform.deploy(
                prompt_strategy("Buy when it is cheap."), f"clone-{number}", UserId(f"owner-{number // 20}")
            )
        before = _resident_mib()
        samples = [_ask_all(platform) for _ in range(MODEL_SLOTS)]
        grown = _resident_mib() - before
    return [
        Row(
            name=f"{MODELS} models in flight, 2 s each, from the slot to the last commit",
            unit="s",
            samples=tuple(seconds for seconds, _ in samples),
            target=Target(AT_MOST, MODELS_TARGET_S, of_ratio=False),
            note=f"{MODELS} models in flight: the latency alone is {LATENCY_S:g} s, the budget 1.3 times that; the "
            f"first slot, which opens {MODELS} connections, took {samples[0][0]:.2f} s.",
        ),
        Row(
            name=f"{MODELS} models in flight, CPU of the process",
            unit="s",
            samples=tuple(cpu for _, cpu in samples),
        ),
        Row(name=f"{MODELS} models in flight, memory more than before", unit="MiB", samples=(grown,)),
    ]


def _ask_all(platform: Platform) -> tuple[float, float]:
    """(wall, CPU) seconds of the next slot, in which every clone asks its model."""
    slot_ms = next_slot_ms(platform.clock.now_ms(), 3_600)
    platform.clock.advance(slot_ms + SETTLE_MS - platform.clock.now_ms())
    platform.show()
    (job,) = platform.work.due_slots()
    started, cpu_started = time.perf_counter(), time.process_time()
    platform.work.work_off(job)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu_started
    newest = [platform.runs(f"clone-{n}", UserId(f"owner-{n // 20}"))[-1] for n in range(MODELS)]
    assert {str(run.code) for run in newest} == {"None"}, "every model answered"
    assert all(run.usage is not None for run in newest)
    platform.tick()
    return seconds, cpu


@contextmanager
def _platform(folder: Path) -> Iterator[Platform]:
    folder.mkdir()
    with closing(Database(f"sqlite:///{folder / 'bench.sqlite3'}")) as database:
        upgrade(database)
        yield Platform(database, ManualClock(START_MS), str(folder / "objects"))


def _resident_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
