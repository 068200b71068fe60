"""Identity on the wire: challenges, sessions, wallets, API keys, the user."""

from typing import Annotated

import msgspec

from pump_party.domains.users.contract import ChallengePurpose, Scope, SignedIn, UserView

ChainText = Annotated[str, msgspec.Meta(max_length=20, description="`solana` or `eip155:<chain id>`")]
AddressText = Annotated[str, msgspec.Meta(max_length=64, description="base58 on Solana, 0x hex on EVM chains")]
IdText = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", max_length=36)]
SignatureText = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9+/=]+$", max_length=8_192)]
SignedMessageText = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9+/]+={0,2}$", max_length=8_192)]
KeyNameText = Annotated[str, msgspec.Meta(pattern=r"^[^\u0000-\u001f\u007f-\u009f]+$", min_length=1, max_length=64)]


class ChallengeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    chain: ChainText
    address: AddressText
    purpose: ChallengePurpose = ChallengePurpose.SIGN_IN


class ProofBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed challenge. `signed_message` is base64 of what a Solana `signIn` wallet signed."""

    challenge_id: IdText
    signature: SignatureText
    signed_message: SignedMessageText | None = None


class ApiKeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The scope `act` is given alone, with the `clone_id` of the clone of yours that the key may decide for."""

    name: KeyNameText
    scopes: Annotated[list[Scope], msgspec.Meta(min_length=1, max_length=2)]
    clone_id: IdText | None = None


class Challenge(msgspec.Struct, frozen=True):
    challenge_id: str
    message: str
    expires_at_ms: int


class Session(msgspec.Struct, frozen=True):
    """A fresh session. The token is shown once; browsers also get it as a cookie."""

    token: str
    csrf_token: str
    session_id: str
    user_id: str
    expires_at_ms: int


class SessionItem(msgspec.Struct, frozen=True):
    session_id: str
    wallet_address: str
    created_at_ms: int
    last_seen_ms: int
    expires_at_ms: int
    user_agent: str
    current: bool


class Sessions(msgspec.Struct, frozen=True):
    items: list[SessionItem]


class Wallet(msgspec.Struct, frozen=True):
    wallet_id: str
    chain: str
    address: str
    linked_at_ms: int


class Me(msgspec.Struct, frozen=True, omit_defaults=True):
    user_id: str
    display_name: str
    created_at_ms: int
    wallets: list[Wallet]
    csrf_token: str | None = None


class CurrentSession(msgspec.Struct, frozen=True):
    """`me` is null when the request carried no session that stands."""

    me: Me | None


class ApiKeyItem(msgspec.Struct, frozen=True):
    api_key_id: str
    name: str
    scopes: list[Scope]
    prefix: str
    created_at_ms: int
    last_used_ms: int | None
    clone_id: str | None


class ApiKeys(msgspec.Struct, frozen=True):
    items: list[ApiKeyItem]


class ApiKeyMade(msgspec.Struct, frozen=True):
    """A fresh API key. `key` is shown once."""

    api_key_id: str
    name: str
    scopes: list[Scope]
    prefix: str
    created_at_ms: int
    key: str
    clone_id: str | None


class Ticket(msgspec.Struct, frozen=True):
    ticket: str
    expires_at_ms: int


def render_session(signed_in: SignedIn) -> Session:
    return Session(
        token=signed_in.token,
        csrf_token=signed_in.csrf_token,
        session_id=signed_in.session_id,
        user_id=signed_in.user_id,
        expires_at_ms=signed_in.expires_at_ms,
    )


def render_me(user: UserView, csrf_token: str | None) -> Me:
    return Me(
        user_id=user.user_id,
        display_name=user.display_name,
        created_at_ms=user.created_at_ms,
        wallets=[msgspec.convert(wallet, Wallet, from_attributes=True) for wallet in user.wallets],
        csrf_token=csrf_token,
    )
