"""The beginning and the end of an account's cycle: capital from the venue, everything back to zero."""

from collections.abc import Sequence

import msgspec

from pump_party.domains.prop_engine.chain import genesis
from pump_party.domains.prop_engine.ledger import close_postings, open_postings, write_record
from pump_party.domains.prop_engine.model import Account, JournalRecord, Position, RecordKind
from pump_party.domains.prop_engine.rule_set import RuleSet
from pump_party.kernel.ids import AccountId, UserId


def blank_account(account_id: AccountId, user_id: UserId, rules: RuleSet, *, now_ms: int) -> Account:
    return Account(
        account_id=account_id,
        user_id=user_id,
        kind=rules.kind,
        rule_set=rules.name,
        params_sha256=rules.params_sha256,
        contest_eligible=rules.contest_eligible,
        opened_ms=now_ms,
        cycle=1,
        version=0,
        seq=0,
        head=genesis(account_id),
        start_micros=0,
        cash_micros=0,
        realised_pnl_micros=0,
        fees_micros=0,
        fills=0,
    )


def start_cycle(account: Account, record_id: str, start_micros: int, *, now_ms: int) -> tuple[Account, JournalRecord]:
    opening = write_record(account, record_id, RecordKind.OPEN, at_ms=now_ms, postings=open_postings(start_micros))
    started = msgspec.structs.replace(
        account,
        version=opening.version,
        head=opening.sha256,
        start_micros=start_micros,
        cash_micros=start_micros,
    )
    return started, opening


def close_cycle(
    account: Account, positions: Sequence[Position], record_id: str, *, now_ms: int
) -> tuple[Account, JournalRecord]:
    """Bring the book to zero. Open orders must have been cancelled; margins go with the positions."""
    closing = write_record(
        account, record_id, RecordKind.CLOSE, at_ms=now_ms, postings=close_postings(account, positions)
    )
    closed = msgspec.structs.replace(
        account,
        version=closing.version,
        head=closing.sha256,
        cycle=account.cycle + 1,
        seq=account.seq + 1,
        cash_micros=0,
        realised_pnl_micros=0,
        fees_micros=0,
        fills=0,
        margin_micros=0,
        funding_micros=0,
        insurance_micros=0,
        liquidation_fees_micros=0,
    )
    return closed, closing
