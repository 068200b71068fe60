"""Bring runs to their end: decided, recorded, submitted, finished, each step durable before the next begins.

A run that a crash left behind is taken up where it was: what was asked is not asked again while its answer is kept,
what was submitted is found again by its run, and what is late is not done.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from pump_party.domains.aitrading.artifacts import Artifact
from pump_party.domains.aitrading.asking import (
    FAILURES,
    Asker,
    WrittenAnswer,
    answer_body,
    asks_of,
    read_answers,
    reserved,
    settled,
)
from pump_party.domains.aitrading.model import (
    Decided,
    Plan,
    Proposal,
    Question,
    Seen,
    Unusable,
    Verdict,
    VerdictCode,
)
from pump_party.domains.aitrading.model_desk import Answered, Ask
from pump_party.domains.aitrading.parts import Parts, Plans
from pump_party.domains.aitrading.presenting import announce
from pump_party.domains.aitrading.private import bare, sealed
from pump_party.domains.aitrading.records import Call, Run, RunBody
from pump_party.domains.aitrading.run_views import FailureCode, RunState
from pump_party.domains.aitrading.store import NextSlot, RunTaken, Step
from pump_party.domains.aitrading.unreadable import EVIDENCE, StrategyUnreadable, concerns_one, sift
from pump_party.domains.prop_interface.contract import (
    ActionOutcome,
    OrderStatus,
    SubmitActions,
)
from pump_party.kernel.errors import Refusal
from pump_party.kernel.ids import Market, RunId
from pump_party.platform.jobs import Job

UNFINISHED_MAX = 1_000
"""Runs taken up in one go after a restart."""

DETAIL_CHARS_MAX = 200
TOO_LATE = "too_late"

_WITHOUT_FAULT = frozenset(
    (
        VerdictCode.ALLOWED,
        VerdictCode.HOLD,
        VerdictCode.ALREADY_THERE,
        VerdictCode.NOTHING_HELD,
        VerdictCode.BELOW_MINIMUM,
        VerdictCode.INSUFFICIENT_CASH,
    )
)


class Underway(msgspec.Struct, frozen=True):
    """A run whose model is to be asked, with what it is asked about."""

    run: Run
    plan: Plan
    seen: Seen
    questions: Sequence[Question]


class Runs:
    """Takes runs from wherever they are to their end. Safe to call again after anything, a killed process included."""

    def __init__(self, parts: Parts, plans: Plans) -> None:
        self._parts = parts
        self._plans = plans

    # --- steps ---

    def record(
        self,
        *,
        begun: Sequence[Run] = (),
        moved: Sequence[Run] = (),
        reserved_calls: Sequence[Call] = (),
        settled_calls: Sequence[Call] = (),
        done: Job | None = None,
        next_slot: NextSlot | None = None,
    ) -> Sequence[Call]:
        """One transaction, with nothing private in the clear. Returns the calls that no budget allows.

        Of a run that cannot be sealed what is private is not kept: `shut` those first that may still end otherwise.
        """
        begun, moved = [[one or bare(run) for run, one in self._sealed(runs)] for runs in (begun, moved)]
        step = Step(begun, moved, reserved_calls, settled_calls, done, next_slot)
        refused = self._parts.store.record(step, limits=self._parts.limits, announce=announce)
        ended = [run for run in (*begun, *moved) if run.is_final]
        if ended:
            self._parts.notify()
        for run in ended:
            outcome = run.state.value if run.code is None else f"{run.state.value}:{run.code}"
            self._parts.metrics.decision_finished(outcome, lag_ms=(run.finished_ms or run.claimed_ms) - run.slot_ms)
        for call in settled_calls:
            provider = call.model.partition(":")[0]
            self._parts.metrics.model_called(
                provider, call.failure or "answered", latency_ms=call.latency_ms, micros=call.micros
            )
        return refused

    def shut(self, decided: Sequence[Run]) -> list[Run]:
        """What was decided and not yet recorded, sealed. A run that cannot be has failed, and did nothing."""
        now_ms = self._parts.clock.now_ms()
        return [one or unreadable(run, None, now_ms=now_ms) for run, one in self._sealed(decided)]

    def _sealed(self, runs: Sequence[Run]) -> list[tuple[Run, Run | None]]:
        """Each beside the same sealed, None where it cannot be."""
        shut = sift(runs, lambda some: sealed(self._parts.clones, some))
        return [(run, one if isinstance(one, Run) else None) for run, one in zip(runs, shut, strict=True)]

    def keep(self, artifacts: Sequence[Artifact]) -> frozenset[RunId]:
        """Keep them. Returns the runs of which one cannot be sealed."""

        def put(some: Sequence[Artifact]) -> Sequence[None]:
            self._parts.artifacts.put(some)
            return [None] * len(some)

        kept = sift(artifacts, put)
        return frozenset(artifact.run_id for artifact, lost in zip(artifacts, kept, strict=True) if lost is not None)

    def submit(self, runs: Sequence[Run]) -> None:
        """Hand over what these runs decided, and end them by what became of it."""
        acting = [run for run in runs if run.state is RunState.PROPOSED]
        for deadline_ms in sorted({run.deadline_ms for run in acting}):
            due = [run for run in acting if run.deadline_ms == deadline_ms]
            batches = [SubmitActions(r.user_id, r.account_id, r.run_id, r.body.actions) for r in due]
            outcomes = self._parts.fleet.submit_many(batches, until_ms=deadline_ms)
            now_ms = self._parts.clock.now_ms()
            self._end([ended_by(r, o, now_ms=now_ms) for r, o in zip(due, outcomes, strict=True)])

    def _end(self, ended_runs: Sequence[Run]) -> None:
        """Where somebody else has ended one of them, it has ended in the same way, and the others end alone."""
        try:
            self.record(moved=ended_runs)
        except RunTaken:
            for run in ended_runs:
                with suppress(RunTaken):
                    self.record(moved=[run])

    def take_up(self) -> int:
        """Bring runs to their end that another process began. Returns how many there were."""
        left = self._parts.store.unfinished(limit=UNFINISHED_MAX)
        self.go_on(left)
        return len(left)

    def go_on(self, runs: Sequence[Run]) -> None:
        """From wherever each of them is."""
        self.submit([run for run in runs if run.state is RunState.PROPOSED])
        now_ms = self._parts.clock.now_ms()
        waiting = [run for run in runs if run.state in (RunState.CLAIMED, RunState.CONTEXTED, RunState.ANSWERED)]
        late = [run for run in waiting if now_ms > run.deadline_ms]
        if late:
            self._end([ended(run, RunState.LATE, now_ms=now_ms) for run in late])
        recalled = self._recalled([run for run in waiting if now_ms <= run.deadline_ms])
        self.ask([one for one, _ in recalled if one.run.state is RunState.CONTEXTED])
        kept = [(one, answers) for one, answers in recalled if one.run.state is RunState.ANSWERED]
        if kept:
            self._conclude(kept)

    def _recalled(self, runs: Sequence[Run]) -> list[tuple[Underway, list[WrittenAnswer]]]:
        """Each with what it was answered, if it was. One whose evidence cannot be read has failed."""
        found, lost = [], []
        for run in runs:
            try:
                answers = self._kept_answers(run) if run.state is RunState.ANSWERED else []
                found.append((self._underway(run), answers))
            except Refusal as refusal:
                if not concerns_one(refusal):
                    raise
                lost.append(unreadable(run, refusal, now_ms=self._parts.clock.now_ms()))
        if lost:
            self._end(lost)
        return found

    def _underway(self, run: Run) -> Underway:
        """What the run saw and asked, from its own evidence."""
        assert run.context_sha256 is not None
        plan = self._plans.of(run.version_id)
        seen = self._parts.decider.seen_in(self._parts.artifacts.get(run, run.context_sha256))
        questions = self._parts.decider.questions(plan, seen, budget_tokens=self._parts.prompt_tokens_max)
        return Underway(run, plan, seen, questions)

    def _kept_answers(self, run: Run) -> list[WrittenAnswer]:
        assert run.answer_sha256 is not None
        return read_answers(self._parts.artifacts.get(run, run.answer_sha256))

    # --- models ---

    def asks(self, one: Underway) -> list[Ask]:
        assert one.plan.model is not None
        return asks_of(
            Asker.of(one.run),
            one.questions,
            model=one.plan.model,
            answer_tokens=self._parts.answer_tokens_max,
            deadline_ms=one.run.deadline_ms,
        )

    def calls(self, asker: Asker, asks: Sequence[Ask]) -> list[Call]:
        """To be reserved before they are made."""
        at_ms = self._parts.clock.now_ms()
        return [reserved(asker, ask, micros=self._price(ask), at_ms=at_ms) for ask in asks]

    def _price(self, ask: Ask) -> int | None:
        return self._parts.models.cost_micros(ask.model, tokens_in=ask.question.tokens_max, tokens_out=ask.tokens_max)

    def ask(self, underway: Sequence[Underway]) -> None:
        """Ask for all of them at once. Those whose answers are there go on while others are waited for."""
        owner = {ask.call_id: one for one in underway for ask in self.asks(one)}
        come: dict[str, list[Answered]] = {one.run.run_id: [] for one in underway}
        for batch in self._parts.models.ask([ask for one in underway for ask in self.asks(one)]):
            for answered in batch:
                come[owner[answered.ask.call_id].run.run_id].append(answered)
            full = {owner[a.ask.call_id].run.run_id for a in batch}
            complete = [one for one in underway if one.run.run_id in full]
            complete = [one for one in complete if len(come[one.run.run_id]) == len(one.questions)]
            if complete:
                self._answered([(one, _in_order(come.pop(one.run.run_id))) for one in complete])

    def _answered(self, come: Sequence[tuple[Underway, Sequence[Answered]]]) -> None:
        """Keep what was paid for before anything is made of it."""
        now_ms = self._parts.clock.now_ms()
        moved: list[Run] = []
        calls: list[Call] = []
        going: list[tuple[Underway, list[WrittenAnswer]]] = []
        kept = [Artifact.of(one.run, answer_body(answers)) for one, answers in come]
        lost = self.keep(kept)
        for (one, answers), artifact in zip(come, kept, strict=True):
            run = msgspec.structs.replace(one.run, state=RunState.ANSWERED, answer_sha256=artifact.sha256)
            failed = next((answered.failed for answered in answers if answered.failed is not None), None)
            if run.run_id in lost:
                run = unreadable(one.run, None, now_ms=now_ms)
            elif failed is not None:
                code, detail = FAILURES[failed.failure], f"{failed.failure.value}: {failed.detail}"
                run = ended(run, RunState.FAILED, code=code.value, detail=detail, now_ms=now_ms)
            else:
                going.append((msgspec.structs.replace(one, run=run), read_answers(artifact.body)))
            moved.append(run)
            before = self.calls(Asker.of(one.run), [answered.ask for answered in answers])
            calls += [settled(c, answered, at_ms=now_ms) for c, answered in zip(before, answers, strict=True)]
        self.record(moved=moved, settled_calls=calls)
        if going:
            self._conclude(going)

    def _conclude(self, answered: Sequence[tuple[Underway, Sequence[WrittenAnswer]]]) -> None:
        """Gate and size at the newest accounts and quotes, then submit."""
        parts = self._parts
        situations = parts.fleet.situations([one.run.account_id for one, _ in answered])
        quotes = parts.quotes.latest(sorted({m for one, _ in answered for m in one.plan.limits.markets}))
        now_ms = parts.clock.now_ms()
        moved = []
        for one, answers in answered:
            proposals = self.read(one.plan, one.seen, one.questions, answers)
            if isinstance(proposals, Unusable):
                detail = f"{proposals.code.value}: {proposals.detail}"
                code = FailureCode.INVALID_OUTPUT.value
                moved.append(ended(one.run, RunState.FAILED, code=code, detail=detail, now_ms=now_ms))
                continue
            situation = situations[one.run.account_id]
            seen = msgspec.structs.replace(
                one.seen,
                account=situation.account,
                orders=situation.orders,
                quotes=quotes,
                slot=msgspec.structs.replace(one.seen.slot, now_ms=now_ms),
            )
            decided = parts.decider.conclude(one.plan, seen, proposals, with_context=False)
            moved.append(decided_run(one.run, decided, mids_of(one.seen), now_ms=now_ms))
        shut = self.shut(moved)
        self.record(moved=shut)
        self.submit(shut)

    def read(
        self, plan: Plan, seen: Seen, questions: Sequence[Question], answers: Sequence[WrittenAnswer]
    ) -> Sequence[Proposal] | Unusable:
        """What rules and models propose together. One answer that cannot be used spoils the decision."""
        proposals = list(self._parts.decider.rule_proposals(plan, seen))
        for question, answer in zip(questions, answers, strict=True):
            read = self._parts.decider.read(question, answer.text)
            if isinstance(read, Unusable):
                return read
            proposals.extend(read)
        return proposals


def decided_run(run: Run, decided: Decided, mids_e8: Mapping[Market, int], *, now_ms: int) -> Run:
    """A run with its decision: on its way when there is something to do, else at its end."""
    body = msgspec.structs.replace(
        run.body,
        proposals=decided.proposals,
        verdicts=decided.verdicts,
        actions=decided.actions,
        mids_e8=dict(mids_e8),
    )
    run = msgspec.structs.replace(run, body=body)
    if decided.actions:
        return msgspec.structs.replace(run, state=RunState.PROPOSED)
    fault = _fault(decided.verdicts)
    if fault is None:
        return ended(run, RunState.HELD, now_ms=now_ms)
    if fault.code is VerdictCode.SLOT_LATE:
        return ended(run, RunState.LATE, now_ms=now_ms)
    return ended(run, RunState.REJECTED, code=fault.code.value, now_ms=now_ms)


def ended(run: Run, state: RunState, *, now_ms: int, code: str | None = None, detail: str | None = None) -> Run:
    short = None if not detail else detail[:DETAIL_CHARS_MAX]
    return msgspec.structs.replace(run, state=state, code=code, detail=short, finished_ms=now_ms)


def unreadable(run: Run, refusal: Refusal | None, *, now_ms: int) -> Run:
    """A run that ends because what is sealed of its clone cannot be opened, or nothing more can be sealed."""
    code, detail = FailureCode.EVIDENCE_UNREADABLE.value, EVIDENCE
    if isinstance(refusal, StrategyUnreadable):
        code, detail = refusal.code, refusal.detail
    run = msgspec.structs.replace(run, body=RunBody())
    return ended(run, RunState.FAILED, code=code, detail=detail, now_ms=now_ms)


def ended_by(run: Run, outcome: Sequence[ActionOutcome] | Refusal, *, now_ms: int) -> Run:
    """Executed when the engine took any of its orders, else by the first reason why it took none."""
    if isinstance(outcome, Refusal):
        return ended(run, RunState.REJECTED, code=outcome.code, detail=outcome.detail, now_ms=now_ms)
    orders = [order for done in outcome for order in done.orders]
    body = msgspec.structs.replace(run.body, orders=tuple((order.market, order.order_id) for order in orders))
    run = msgspec.structs.replace(run, body=body)
    if any(order.status is not OrderStatus.REJECTED for order in orders):
        return ended(run, RunState.EXECUTED, now_ms=now_ms)
    refused = [done.refusal_code for done in outcome if done.refusal_code is not None]
    codes = refused or [order.reject_code.value for order in orders if order.reject_code is not None]
    if TOO_LATE in refused:
        return ended(run, RunState.LATE, now_ms=now_ms)
    return ended(run, RunState.REJECTED, code=codes[0] if codes else None, now_ms=now_ms)


def mids_of(seen: Seen) -> dict[Market, int]:
    return {market: snapshot.mid_e8 for market, snapshot in seen.snapshots.items()}


def _fault(verdicts: Sequence[Verdict]) -> Verdict | None:
    return next((verdict for verdict in verdicts if verdict.code not in _WITHOUT_FAULT), None)


def _in_order(answers: Sequence[Answered]) -> list[Answered]:
    """By the place of the question: it ends the call's id."""
    return sorted(answers, key=lambda answered: int(answered.ask.call_id.rpartition("/")[2]))
