import pytest

from pump_party.kernel.ids import is_uuid, uuid7
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import TAIL_MASK, Ids


@pytest.mark.parametrize("randomness", [bytes(9), (TAIL_MASK - 3).to_bytes(9, "big"), b"\xff" * 9])
def test_many_ids_at_once_are_well_formed_distinct_and_in_order(clock: ManualClock, randomness: bytes) -> None:
    ids = Ids(clock, lambda count: randomness[:count])
    first = list(ids.take(10))
    taken = [*first, ids.new(), *ids.take(3)]
    start = int.from_bytes(randomness, "big")
    assert taken == [uuid7(clock.now_ms(), start + number) for number in range(1, 15)]
    assert all(is_uuid(one) for one in taken)
    assert sorted(set(taken)) == taken
