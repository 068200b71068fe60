"""What users must remember. `db/users.py` implements it on SQLite and Postgres."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from pump_party.domains.users.contract import ChallengePurpose
from pump_party.domains.users.model import ApiKey, Challenge, Session, User, Wallet
from pump_party.events.users import SessionsRevoked


class Answer(msgspec.Struct, frozen=True):
    """Names a repeatable request: under `key`, in `scope`, with the SHA-256 of what was asked."""

    scope: str
    key: str
    request_sha256: str


class Transaction(Protocol):
    """One write transaction: all of it is kept, or, after an exception, none."""

    def lock_user(self, user_id: str) -> bool:
        """Make others that change this user's wallets, sessions or keys wait. False when there is no such user."""
        ...

    def add_user(self, user: User) -> None: ...

    def remove_user(self, user_id: str) -> None: ...

    def find_wallet(self, identity: str) -> Wallet | None: ...

    def add_wallet(self, wallet: Wallet) -> Wallet:
        """Link a wallet, unless its identity is linked already. Returns the link that stands."""
        ...

    def count_wallets(self, user_id: str) -> int: ...

    def add_session(self, session: Session) -> None: ...

    def keep_newest_sessions(self, user_id: str, *, count: int) -> Sequence[str]:
        """Delete the oldest sessions beyond `count`. Returns the ids that are gone."""
        ...

    def delete_sessions(self, user_id: str, *, session_id: str | None = None) -> Sequence[str]:
        """Delete one session of a user, or all. Returns the ids that are gone."""
        ...

    def add_api_key(self, key: ApiKey) -> None: ...

    def count_api_keys(self, user_id: str) -> int: ...

    def delete_api_key(self, user_id: str, api_key_id: str) -> bool: ...

    def recall(self, answer: Answer) -> bytes | None:
        """The answer this request got before, or None. Raises IdempotencyMismatch."""
        ...

    def remember(self, answer: Answer, response: bytes, *, at_ms: int) -> None: ...

    def publish(self, event: SessionsRevoked) -> None: ...


class Store(Protocol):
    def transaction(self) -> AbstractContextManager[Transaction]: ...

    def add_challenge(self, challenge: Challenge, *, kept_per_wallet: int) -> None:
        """Store a challenge; of the wallet's older ones keep the newest, `kept_per_wallet` in all."""
        ...

    def find_challenge(self, challenge_id: str) -> Challenge | None: ...

    def spend_challenge(
        self, challenge_id: str, *, purpose: ChallengePurpose, user_id: str | None, now_ms: int
    ) -> bool:
        """Mark an unused, unexpired challenge of this purpose and user as used, durably, in one statement.

        True for exactly one caller, however many try at once.
        """
        ...

    def find_session(self, token_sha256: bytes) -> Session | None: ...

    def touch_session(self, session_id: str, *, seen_ms: int, expires_at_ms: int) -> None: ...

    def list_sessions(self, user_id: str, *, now_ms: int) -> Sequence[tuple[Session, str]]:
        """The live sessions with the address of the wallet that opened each, newest first."""
        ...

    def has_session(self, session_id: str, *, now_ms: int) -> bool: ...

    def find_api_key(self, key_sha256: bytes) -> ApiKey | None: ...

    def touch_api_key(self, api_key_id: str, *, used_ms: int) -> None: ...

    def list_api_keys(self, user_id: str) -> Sequence[ApiKey]: ...

    def has_api_key(self, api_key_id: str) -> bool: ...

    def find_user(self, user_id: str) -> User | None: ...

    def list_wallets(self, user_id: str) -> Sequence[Wallet]: ...

    def prune(self, *, challenges_before_ms: int, sessions_before_ms: int, limit: int) -> int:
        """Delete at most `limit` challenges and `limit` sessions that expired before these times. Returns how many."""
        ...
