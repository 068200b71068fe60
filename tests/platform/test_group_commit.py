import asyncio
import threading
from collections.abc import Sequence

import pytest

from pump_party.kernel.errors import Conflict, Unavailable
from pump_party.platform import group_commit
from pump_party.platform.group_commit import GroupCommit, Lanes


class Ledger:
    """Commits numbers. `bad` ones break the batch they are in; the gate holds a commit until it is opened."""

    def __init__(self, bad: frozenset[int] = frozenset()) -> None:
        self.bad = bad
        self.batches: list[list[int]] = []
        self.committed: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.refusal: Exception | None = None

    def commit(self, calls: Sequence[int]) -> list[int | Exception]:
        self.gate.wait(5)
        self.batches.append(list(calls))
        if self.refusal is not None:
            raise self.refusal
        if self.bad & set(calls):
            raise ZeroDivisionError(calls)
        self.committed.extend(calls)
        return [Conflict("odd one out", code="odd") if call == 13 else call * 10 for call in calls]


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def opened(ledger: Ledger, *, batch_max: int = 64) -> GroupCommit[int, int]:
    return GroupCommit(ledger.commit, batch_max=batch_max, wait_us=0)


async def together(desk: GroupCommit[int, int], calls: Sequence[int]) -> list[int | BaseException]:
    return await asyncio.gather(*(desk.submit(call) for call in calls), return_exceptions=True)


def test_calls_that_arrive_during_a_commit_form_the_next_batch_in_order(ledger: Ledger) -> None:
    desk = opened(ledger)

    async def run() -> list[int | BaseException]:
        ledger.gate.clear()
        first = asyncio.ensure_future(desk.submit(1))
        await asyncio.sleep(0.05)
        others = asyncio.ensure_future(together(desk, [2, 3, 4]))
        await asyncio.sleep(0.05)
        ledger.gate.set()
        return [await first, *await others]

    assert asyncio.run(run()) == [10, 20, 30, 40]
    assert ledger.batches == [[1], [2, 3, 4]]
    desk.close()


def test_a_batch_is_never_larger_than_its_limit(ledger: Ledger) -> None:
    desk = opened(ledger, batch_max=8)
    asyncio.run(together(desk, range(50)))
    assert max(len(batch) for batch in ledger.batches) <= 8
    assert ledger.committed == list(range(50))
    desk.close()


def test_each_call_gets_its_own_refusal(ledger: Ledger) -> None:
    desk = opened(ledger)
    before, refused, after = asyncio.run(together(desk, [12, 13, 14]))
    assert (before, after) == (120, 140)
    assert isinstance(refused, Conflict)
    desk.close()


def test_a_call_that_breaks_its_batch_fails_alone() -> None:
    ledger = Ledger(bad=frozenset({5}))
    desk = opened(ledger)
    outcomes = asyncio.run(together(desk, range(10)))
    assert [o for o in outcomes if not isinstance(o, BaseException)] == [n * 10 for n in range(10) if n != 5]
    assert isinstance(outcomes[5], ZeroDivisionError)
    assert sorted(ledger.committed) == [n for n in range(10) if n != 5]
    desk.close()


def test_an_absent_database_refuses_the_whole_batch_without_trying_it_in_pieces(ledger: Ledger) -> None:
    ledger.refusal = Unavailable("away")
    desk = opened(ledger)
    outcomes = asyncio.run(together(desk, range(10)))
    assert all(isinstance(o, Unavailable) for o in outcomes)
    assert sum(len(batch) for batch in ledger.batches) == 10
    desk.close()


def test_a_full_queue_refuses_at_once(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "QUEUE_MAX", 3)
    desk = opened(ledger, batch_max=1)

    async def run() -> list[int | BaseException]:
        ledger.gate.clear()
        waiting = asyncio.ensure_future(together(desk, range(10)))
        await asyncio.sleep(0.05)
        ledger.gate.set()
        return await waiting

    outcomes = asyncio.run(run())
    refused = [o for o in outcomes if isinstance(o, Unavailable)]
    assert refused
    assert {o.code for o in refused} == {"queue_full"}
    assert len(ledger.committed) == 10 - len(refused)
    desk.close()


def test_closing_finishes_what_waits_and_refuses_what_comes(ledger: Ledger) -> None:
    desk = opened(ledger)

    async def run() -> tuple[list[int | BaseException], list[int | BaseException]]:
        ledger.gate.clear()
        waiting = asyncio.ensure_future(together(desk, [1, 2, 3]))
        await asyncio.sleep(0.05)
        closing = asyncio.get_running_loop().run_in_executor(None, desk.close)
        await asyncio.sleep(0.05)
        late = await together(desk, [4])
        ledger.gate.set()
        await closing
        return await waiting, late

    finished, (late,) = asyncio.run(run())
    assert finished == [10, 20, 30]
    assert isinstance(late, Unavailable)
    assert late.code == "shutting_down"


def test_a_caller_that_gives_up_does_not_undo_or_disturb_the_batch(ledger: Ledger) -> None:
    desk = opened(ledger)

    async def run() -> int:
        ledger.gate.clear()
        impatient = asyncio.ensure_future(desk.submit(1))
        patient = asyncio.ensure_future(desk.submit(2))
        await asyncio.sleep(0.05)
        impatient.cancel()
        ledger.gate.set()
        return await patient

    assert asyncio.run(run()) == 20
    assert sorted(ledger.committed) == [1, 2]
    desk.close()


def test_lanes_keep_calls_on_one_thing_in_order_and_do_not_wait_for_each_other(ledger: Ledger) -> None:
    slow, fast = Ledger(), ledger
    lanes = Lanes([opened(fast), opened(slow)], lambda call: call)

    async def run() -> list[int | BaseException]:
        slow.gate.clear()
        waiting = asyncio.ensure_future(asyncio.gather(*(lanes.submit(call) for call in (1, 3, 5))))
        quick = await asyncio.gather(*(lanes.submit(call) for call in (0, 2, 4)))
        assert not slow.committed
        slow.gate.set()
        return [*quick, *await waiting]

    assert asyncio.run(run()) == [0, 20, 40, 10, 30, 50]
    assert (fast.committed, slow.committed) == ([0, 2, 4], [1, 3, 5])
    lanes.close()
