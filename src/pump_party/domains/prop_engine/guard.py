"""The shell that changes what accounts may do: because a mark broke a loss limit, or because someone asked."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

import msgspec

from pump_party.domains.prop_engine.marking import Marked
from pump_party.domains.prop_engine.matcher import Key, endless, write
from pump_party.domains.prop_engine.model import Account, Standing
from pump_party.domains.prop_engine.portfolio import Holdings
from pump_party.domains.prop_engine.recording import Recorder
from pump_party.domains.prop_engine.risk import Breach, check_mark
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.domains.prop_engine.status import CLOSE_POSITIONS, Asker, is_allowed
from pump_party.domains.prop_engine.status_recording import change_status
from pump_party.domains.prop_engine.store import Batch, OrdersTransaction, PropStore
from pump_party.domains.prop_interface.contract import AccountStatus, SetAccountStatus
from pump_party.kernel.errors import Conflict, IdempotencyMismatch, Unavailable
from pump_party.platform.clock import Clock
from pump_party.platform.ids import Ids


class Guard:
    """Freezes accounts that lost too much, and pauses, resumes, locks and completes accounts on demand."""

    def __init__(self, store: PropStore, rule_sets: Mapping[str, RuleSet], clock: Clock, ids: Ids) -> None:
        self._store = store
        self._rule_sets = rule_sets
        self._clock = clock
        self._ids = ids

    def check_marks(self, marked: Sequence[Marked]) -> int:
        """Freeze the accounts of which a mark breaks a loss limit. Returns how many; others cost nothing.

        Call it before the marks are written, so that it is called again for what a crash kept from being written.
        """
        return sum(self._check(m) for m in marked if self._is_watched(m.account))

    def _is_watched(self, account: Account) -> bool:
        return account.status not in CLOSE_POSITIONS and self._rule_sets[account.rule_set].risk.limits_losses()

    def _check(self, marked: Marked) -> bool:
        """The first mark that shows a breach ends the account, whatever those after it say."""
        rules = self._rule_sets[marked.account.rule_set].risk
        for mark in marked.standings:
            breach = check_mark(
                rules,
                start_micros=mark.start_micros,
                day_start_micros=mark.day_start_micros,
                peak_micros=mark.peak_micros,
                equity_micros=mark.equity_micros,
            )
            if breach is not None:
                return self._freeze(marked.account, mark, breach)
        return False

    def _freeze(self, seen: Account, mark: Standing, breach: Breach) -> bool:
        account_id = seen.account_id
        evidence = {
            "by": Asker.ENGINE.value,
            "day_start_micros": str(mark.day_start_micros),
            "equity_micros": str(mark.equity_micros),
            "mark_ms": str(mark.as_of_ms),
            "peak_micros": str(mark.peak_micros),
        }
        is_frozen = False

        def freeze(transaction: OrdersTransaction) -> Sequence[Batch]:
            nonlocal is_frozen
            recorder = self._recorder(transaction)
            account = recorder.accounts[account_id]
            # A reset or another guard may have come first; the mark is then not of this account any more.
            same_life = account.cycle == seen.cycle
            is_frozen = same_life and is_allowed(
                account.status, AccountStatus.FROZEN, asker=Asker.ENGINE, kind=account.kind
            )
            if is_frozen:
                change_status(
                    recorder,
                    account_id,
                    AccountStatus.FROZEN,
                    record_id=next(recorder.new_ids),
                    reason=breach.value,
                    evidence=evidence,
                )
            return [recorder.batch]

        write(self._store, self._keys(seen), freeze)
        return is_frozen

    def set_status(self, command: SetAccountStatus) -> Holdings:
        """The account afterwards. A repeated key changes nothing, whatever has become of the account since."""
        record_id = _record_id(command)
        holdings = self._store.account(command.user_id, command.account_id)
        if not self._was_done(command, record_id):
            self._set_status(command, record_id, holdings.account)
        return self._store.account(command.user_id, command.account_id)

    def _set_status(self, command: SetAccountStatus, record_id: str, seen: Account) -> None:
        asker = Asker.SYSTEM if command.user_id is None else Asker.OWNER

        def change(transaction: OrdersTransaction) -> Sequence[Batch]:
            recorder = self._recorder(transaction)
            account = recorder.accounts[command.account_id]
            if not is_allowed(account.status, command.status, asker=asker, kind=account.kind):
                raise Conflict(
                    f"{asker.value} cannot make this {account.status.value} {account.kind.value} account "
                    f"{command.status.value}",
                    code="status_not_allowed",
                    field="status",
                )
            change_status(
                recorder,
                account.account_id,
                command.status,
                record_id=record_id,
                reason=command.reason,
                evidence={"by": asker.value},
            )
            return [recorder.batch]

        try:
            write(self._store, self._keys(seen), change)
        except (Conflict, Unavailable):
            # The same command may have come first on another connection.
            if not self._was_done(command, record_id):
                raise

    def _was_done(self, command: SetAccountStatus, record_id: str) -> bool:
        detail = self._store.record_detail(record_id)
        if detail is None:
            return False
        done = msgspec.json.decode(detail, type=dict[str, str])
        if (done["status"], done["reason"]) != (command.status.value, command.reason):
            raise IdempotencyMismatch
        return True

    def _recorder(self, transaction: OrdersTransaction) -> Recorder:
        return Recorder(transaction, self._rule_sets, endless(self._ids), now_ms=self._clock.now_ms())

    def _keys(self, account: Account) -> list[Key]:
        """Every market of the account: whatever it holds by then is loaded."""
        rules = self._rule_sets[account.rule_set]
        return [(account.account_id, market, "") for market in (*rules.spot, *rules.perp)]


def _record_id(command: SetAccountStatus) -> str:
    """The id of the record of this key, so that it can be written once only."""
    asker = command.user_id or ""
    digest = sha256(f"status|{command.account_id}|{asker}|{command.idempotency_key}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
