"""What apps and other domains may ask of users."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from pump_party.kernel.ids import ApiKeyId, ChallengeId, CloneId, SessionId, UserId, WalletId


class Scope(StrEnum):
    """What an API key may do. A session may do everything its user may."""

    READ = "read"
    TRADE = "trade"
    ACT = "act"
    """Decide for one clone and see what concerns it. Such a key has no other scope."""


class ChallengePurpose(StrEnum):
    SIGN_IN = "sign_in"
    LINK = "link"


class Principal(msgspec.Struct, frozen=True):
    """Who is asking. Exactly one of `session_id` and `api_key_id` is set; `clone_id` is the clone that a key is for."""

    user_id: UserId
    scopes: frozenset[Scope]
    session_id: SessionId | None = None
    api_key_id: ApiKeyId | None = None
    csrf_token: str | None = None
    clone_id: CloneId | None = None

    def credential_id(self) -> str:
        return self.session_id or self.api_key_id or ""


class ChallengeView(msgspec.Struct, frozen=True):
    challenge_id: ChallengeId
    message: str
    expires_at_ms: int


class SignedIn(msgspec.Struct, frozen=True):
    """A fresh session. `token` is shown here once and stored only as a hash.

    `expires_at_ms` is the end in any case; a session that is not used ends earlier.
    """

    token: str
    csrf_token: str
    session_id: SessionId
    user_id: UserId
    expires_at_ms: int
    created: bool


class SessionView(msgspec.Struct, frozen=True):
    """`expires_at_ms` is the end in any case; a session that is not used ends earlier."""

    session_id: SessionId
    wallet_address: str
    created_at_ms: int
    last_seen_ms: int
    expires_at_ms: int
    user_agent: str
    current: bool


class WalletView(msgspec.Struct, frozen=True):
    wallet_id: WalletId
    chain: str
    address: str
    linked_at_ms: int


class ApiKeyView(msgspec.Struct, frozen=True):
    api_key_id: ApiKeyId
    name: str
    scopes: tuple[Scope, ...]
    prefix: str
    created_at_ms: int
    last_used_ms: int | None
    clone_id: CloneId | None = None


class ApiKeyCreated(msgspec.Struct, frozen=True):
    """`key` is shown here once and stored only as a hash."""

    api_key_id: ApiKeyId
    name: str
    scopes: tuple[Scope, ...]
    prefix: str
    created_at_ms: int
    key: str
    clone_id: CloneId | None = None


class UserView(msgspec.Struct, frozen=True):
    user_id: UserId
    display_name: str
    created_at_ms: int
    wallets: tuple[WalletView, ...]


class Users(Protocol):
    """Wallet proof in, backend identity out. All methods are synchronous and safe to call from threads.

    Sessions, wallets and API keys are managed with a session only: an API key gets Forbidden session_required.
    """

    def create_challenge(
        self, *, chain: str, address: str, purpose: ChallengePurpose, user_id: UserId | None = None
    ) -> ChallengeView:
        """Build and store the CAIP-122 text to sign. `chain` is "solana" or "eip155:<id>".

        `user_id` must be given for the purpose `link`. Raises Invalid for an unknown chain or bad address.
        """
        ...

    def create_session(
        self, *, challenge_id: str, signature: str, signed_message: str | None, user_agent: str
    ) -> SignedIn:
        """Spend the challenge, check the signature, create the user on first sight, open a session.

        `signed_message` is base64 of the bytes a Solana `signIn` wallet signed. Raises Unauthenticated
        (challenge_expired, challenge_used, challenge_unknown, bad_signature) or Unavailable (contract wallet,
        RPC away).
        """
        ...

    def authenticate_session(self, token: str) -> Principal:
        """Raises Unauthenticated (session_invalid). Extends the idle expiry. Costs one indexed read."""
        ...

    def authenticate_api_key(self, key: str) -> Principal:
        """Raises Unauthenticated (api_key_invalid). Costs one indexed read."""
        ...

    def is_valid(self, principal: Principal) -> bool:
        """Whether the session or key behind an open socket still stands."""
        ...

    def list_sessions(self, principal: Principal) -> Sequence[SessionView]: ...

    def revoke_session(self, principal: Principal, session_id: str) -> None:
        """Raises NotFound for a session that is not this user's."""
        ...

    def revoke_all_sessions(self, principal: Principal) -> None: ...

    def link_wallet(
        self, principal: Principal, *, challenge_id: str, signature: str, signed_message: str | None
    ) -> WalletView:
        """Raises Conflict wallet_taken when it belongs to another user."""
        ...

    def create_api_key(
        self,
        principal: Principal,
        *,
        name: str,
        scopes: Sequence[Scope],
        idempotency_key: str,
        clone_id: CloneId | None = None,
    ) -> ApiKeyCreated:
        """Create a key and show it this once. The same request again raises Conflict api_key_already_created.

        The scope `act` is given alone and for one clone, of which the caller knows that it is this user's. Raises
        Invalid (act_alone).
        """
        ...

    def list_api_keys(self, principal: Principal) -> Sequence[ApiKeyView]: ...

    def revoke_api_key(self, principal: Principal, api_key_id: str) -> None: ...

    def me(self, principal: Principal) -> UserView: ...

    def display_names(self, user_ids: Sequence[UserId]) -> dict[UserId, str]:
        """Public names for boards: a name derived from the user id, never a wallet address."""
        ...

    def prune(self) -> int:
        """Delete a bounded batch of expired challenges and sessions. Returns how many: call again until it is 0."""
        ...
