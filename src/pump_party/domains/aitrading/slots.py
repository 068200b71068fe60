"""When decisions are made: slots are whole multiples of a cadence, and all clones of a slot have one deadline. Pure."""

from hashlib import sha256

from pump_party.kernel.ids import RANDOM_BITS, DeploymentId, RunId, uuid7

DEADLINE_MS_MAX = 60_000
"""After the slot, whatever the cadence."""

SETTLE_MS = 1_500
"""A slot is worked off this long after its time: the candle that ended with it is stored by then, so that a clone
decides on what a backtest would show it, not on the bar before."""

DAY_MS = 24 * 3_600_000


def next_slot_ms(now_ms: int, cadence_s: int) -> int:
    """The first slot after this moment."""
    cadence_ms = cadence_s * 1_000
    return (now_ms // cadence_ms + 1) * cadence_ms


def deadline_ms(slot_ms: int, cadence_s: int) -> int:
    """Half a cadence after the slot, at most a minute. What is decided later is not done."""
    return slot_ms + min(cadence_s * 500, DEADLINE_MS_MAX)


def run_id(deployment_id: DeploymentId, at_ms: int, key: str) -> RunId:
    """Fixed by what is decided, so that deciding it again finds what was done. Sorts by its time."""
    digest = sha256(f"{deployment_id}|{at_ms}|{key}".encode()).digest()
    return RunId(uuid7(at_ms, int.from_bytes(digest, "big") >> (256 - RANDOM_BITS)))


def job_key(cadence_s: int, slot_ms: int) -> str:
    return f"{cadence_s}:{slot_ms}"


def read_job_key(key: str) -> tuple[int, int]:
    """(cadence, slot) of a job."""
    cadence_s, _, slot_ms = key.partition(":")
    return int(cadence_s), int(slot_ms)
