"""An entrant's account on its way through a backtest, and what the entrant remembers."""

from collections import Counter, deque
from collections.abc import Sequence
from hashlib import sha256

from msgspec.structs import astuple

from pump_party.domains.aitrading.contract import (
    PAST_DECISIONS_MAX,
    Decided,
    OpenInvalidation,
    PastDecision,
    Proposal,
    ProposalAction,
    Seen,
    Verdict,
    VerdictCode,
    conditions_after,
    is_executed,
)
from pump_party.domains.backtests.model import DECISIONS_KEPT_MAX, HOUR_MS, DecisionRow, Entrant
from pump_party.domains.backtests.thinking import Tally
from pump_party.domains.prop_interface.contract import ActionOutcome
from pump_party.kernel.ids import AccountId, Market, UserId

LINES_KEPT_MAX = 1_024

_HOLD = ProposalAction.HOLD


class Trader:
    def __init__(self, entrant: Entrant, user_id: UserId, account_id: AccountId) -> None:
        self.entrant = entrant
        self.user_id = user_id
        self.account_id = account_id
        self.cadence_ms = entrant.plan.cadence_s * 1000
        self.past: deque[PastDecision] = deque(maxlen=PAST_DECISIONS_MAX)
        self.conditions: tuple[OpenInvalidation, ...] = ()
        self.reads: list[int] = []
        """Numbers of its plan's reads among all of the backtest: strategies that look at the same share them."""

        self.codes: Counter[str] = Counter()
        self.log: list[DecisionRow] = []
        self.log_left_out = 0
        self.digest = sha256()
        self.slots = 0
        self.tally = Tally()
        self._lines: dict[tuple[Market, ProposalAction, int, VerdictCode], bytes] = {}
        self._keeps_holds = entrant.plan.needs_model
        """Nobody else reads them: only a model is shown what it held."""

        self._day = -1
        self._actions = 0

    def actions_today(self, at_ms: int) -> int:
        day = at_ms // (24 * HOUR_MS)
        if day != self._day:
            self._day, self._actions = day, 0
        return self._actions

    def fail(self, code: str, slot_ms: int) -> None:
        """A slot without a decision."""
        self.codes[code] += 1
        self.digest.update(f"{slot_ms}|{code}\n".encode())

    def remember(self, decided: Decided, seen: Seen) -> None:
        """What the strategy decided in a slot."""
        wants_more = self._note(decided, seen.slot.slot_ms)
        if not wants_more and not self._keeps_holds:
            return
        for proposal, verdict in zip(decided.proposals, decided.verdicts, strict=True):
            holds = proposal.action is _HOLD
            if holds and not self._keeps_holds:
                continue
            row = _row(proposal, verdict, seen)
            self.past.appendleft(PastDecision(*astuple(row)))
            if not holds:
                self._write(row)

    def give_up(self, decided: Decided, seen: Seen) -> None:
        """What a condition on a position decided."""
        self._note(decided, seen.slot.slot_ms)
        for proposal, verdict in zip(decided.proposals, decided.verdicts, strict=True):
            self._write(_row(proposal, verdict, seen))

    def done(self, decided: Decided, outcomes: Sequence[ActionOutcome], at_ms: int) -> bool:
        """What the engine made of it. Returns whether it took any order: only then anything has changed."""
        if not is_executed(outcomes):
            return False
        self._actions = self.actions_today(at_ms) + len(decided.actions)
        self.conditions = conditions_after(self.conditions, decided.proposals, decided.verdicts)
        return True

    def _note(self, decided: Decided, at_ms: int) -> bool:
        """Count and hash the verdicts. Returns whether anything else than to hold was wanted."""
        at, text, wants_more = b"%d" % at_ms, b"", False
        for proposal, verdict in zip(decided.proposals, decided.verdicts, strict=True):
            action, code = proposal.action, verdict.code
            wants_more |= action is not _HOLD
            self.codes[code] += 1
            told = (proposal.market, action, proposal.share_ppm, code)
            line = self._lines.get(told)
            if line is None:
                if len(self._lines) >= LINES_KEPT_MAX:
                    self._lines.clear()
                line = self._lines[told] = f"|{'|'.join(map(str, told))}\n".encode()
            text += at + line
        self.digest.update(text)
        return wants_more

    def _write(self, row: DecisionRow) -> None:
        if len(self.log) < DECISIONS_KEPT_MAX:
            self.log.append(row)
        else:
            self.log_left_out += 1


def _row(proposal: Proposal, verdict: Verdict, seen: Seen) -> DecisionRow:
    snapshot = seen.snapshots.get(proposal.market)
    return DecisionRow(
        seen.slot.slot_ms,
        proposal.market,
        proposal.action,
        proposal.side,
        proposal.share_ppm,
        proposal.leverage,
        None if snapshot is None else snapshot.mid_e8,
        verdict.code.value,
    )
