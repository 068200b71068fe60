import uuid
from concurrent.futures import ThreadPoolExecutor

from pump_party.kernel.ids import is_uuid
from pump_party.platform.clock import ManualClock, SystemClock
from pump_party.platform.ids import Ids


def test_an_id_is_a_version_seven_uuid_that_carries_its_time(clock: ManualClock, ids: Ids) -> None:
    made = uuid.UUID(ids.new())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == clock.now_ms()


def test_ids_increase_within_a_millisecond_and_when_the_clock_steps_back(ids: Ids, clock: ManualClock) -> None:
    made = [ids.new() for _ in range(5_000)]
    assert made == sorted(set(made))


def test_ids_made_by_many_threads_are_all_different() -> None:
    ids = Ids(SystemClock())
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: ids.new(), range(4_000)))
    assert len(set(made)) == len(made)


def test_only_canonical_uuid_text_counts_as_an_id() -> None:
    good = "01977420-dc00-7eae-9709-8635cb43daa8"
    assert is_uuid(good)
    for bad in ("", good.upper(), good.replace("-", ""), f"{{{good}}}", good + " ", "x" * 36):
        assert not is_uuid(bad)
