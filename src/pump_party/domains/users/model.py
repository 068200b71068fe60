"""The nouns of identity, as they are stored."""

import msgspec

from pump_party.domains.users.contract import ChallengePurpose, Scope
from pump_party.kernel.ids import ApiKeyId, ChallengeId, CloneId, SessionId, UserId, WalletId


class WalletAddress(msgspec.Struct, frozen=True):
    """A canonical address on a chain. `evm_chain_id` is None for Solana."""

    chain: str
    address: str
    evm_chain_id: int | None


class Challenge(msgspec.Struct, frozen=True):
    """A text to sign, once. `user_id` is who asked to link; None for a sign-in."""

    challenge_id: ChallengeId
    purpose: ChallengePurpose
    user_id: UserId | None
    chain: str
    address: str
    message: str
    issued_at_ms: int
    expires_at_ms: int
    used_at_ms: int | None = None


class User(msgspec.Struct, frozen=True):
    user_id: UserId
    created_at_ms: int


class Wallet(msgspec.Struct, frozen=True):
    """A linked wallet. `identity` is what was proven (see `addresses.py`); `chain` is where it signed first."""

    wallet_id: WalletId
    user_id: UserId
    identity: str
    chain: str
    address: str
    linked_at_ms: int


class Session(msgspec.Struct, frozen=True):
    """`expires_at_ms` is the next end if unused; it never passes `ends_at_ms`, the end in any case."""

    session_id: SessionId
    user_id: UserId
    wallet_id: WalletId
    token_sha256: bytes
    user_agent: str
    created_at_ms: int
    last_seen_ms: int
    expires_at_ms: int
    ends_at_ms: int


class ApiKey(msgspec.Struct, frozen=True):
    api_key_id: ApiKeyId
    user_id: UserId
    name: str
    scopes: tuple[Scope, ...]
    prefix: str
    key_sha256: bytes
    created_at_ms: int
    last_used_ms: int | None
    clone_id: CloneId | None = None
