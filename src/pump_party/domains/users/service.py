"""UserService: wallet proof in, backend identity out."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from hashlib import sha256

import msgspec

from pump_party.domains.users import credentials
from pump_party.domains.users.contract import (
    ApiKeyCreated,
    ApiKeyView,
    ChallengePurpose,
    ChallengeView,
    Principal,
    Scope,
    SessionView,
    SignedIn,
    UserView,
    WalletView,
)
from pump_party.domains.users.contract_wallets import ContractWallets
from pump_party.domains.users.display_names import display_name
from pump_party.domains.users.model import ApiKey, Session, User, Wallet, WalletAddress
from pump_party.domains.users.proofs import WalletProofs
from pump_party.domains.users.store import Store, Transaction
from pump_party.events.users import SessionsRevoked
from pump_party.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from pump_party.kernel.ids import ApiKeyId, CloneId, SessionId, UserId, WalletId, is_uuid
from pump_party.platform.clock import Clock
from pump_party.platform.idempotency import RequestKey
from pump_party.platform.ids import Ids

CHALLENGE_KEPT_MS = 10 * 60 * 1000
"""How long after its expiry a challenge still answers "expired" rather than "unknown"."""

SESSIONS_PER_USER_MAX = 50
WALLETS_PER_USER_MAX = 10
API_KEYS_PER_USER_MAX = 20
API_KEY_NAME_CHARS_MAX = 64
USER_AGENT_CHARS_MAX = 256
SEEN_EVERY_MS_MAX = 60_000
PRUNE_ROWS_MAX = 1_000

ALL_SCOPES = frozenset(Scope)


class UserService:
    """Owns users, wallets, challenges, sessions and API keys. Implements `contract.Users`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        rpc: ContractWallets,
        *,
        domain: str,
        uri: str,
        evm_chain_ids: AbstractSet[int],
        session_idle_ms: int,
        session_absolute_ms: int,
    ) -> None:
        """`domain` and `uri` are the configured host and origin, never what a request claims."""
        self._store = store
        self._clock = clock
        self._ids = ids
        self._proofs = WalletProofs(store, clock, ids, rpc, domain=domain, uri=uri, evm_chain_ids=evm_chain_ids)
        self._session_idle_ms = session_idle_ms
        self._session_absolute_ms = session_absolute_ms
        self._seen_every_ms = min(SEEN_EVERY_MS_MAX, session_idle_ms // 10)

    def create_challenge(
        self, *, chain: str, address: str, purpose: ChallengePurpose, user_id: UserId | None = None
    ) -> ChallengeView:
        return self._proofs.ask(chain=chain, address=address, purpose=purpose, user_id=user_id)

    # --- sessions ------------------------------------------------------------------------------

    def create_session(
        self, *, challenge_id: str, signature: str, signed_message: str | None, user_agent: str
    ) -> SignedIn:
        """Sign in; the wallet's user is created on first sight. The oldest sessions beyond the limit end."""
        wallet, identity = self._proofs.prove(
            ChallengePurpose.SIGN_IN,
            user_id=None,
            challenge_id=challenge_id,
            signature=signature,
            signed_message=signed_message,
        )
        token = credentials.token_text(self._ids.token())
        now_ms = self._clock.now_ms()
        with self._store.transaction() as tx:
            linked, created = self._find_or_create_user(tx, wallet, identity, now_ms=now_ms)
            session = self._new_session(linked, token, user_agent, now_ms=now_ms)
            tx.lock_user(linked.user_id)
            gone = tx.keep_newest_sessions(linked.user_id, count=SESSIONS_PER_USER_MAX - 1)
            _publish_end(tx, linked.user_id, gone, at_ms=now_ms)
            tx.add_session(session)
        return SignedIn(
            token=token,
            csrf_token=credentials.csrf_token(token),
            session_id=session.session_id,
            user_id=session.user_id,
            expires_at_ms=session.ends_at_ms,
            created=created,
        )

    def _find_or_create_user(
        self, tx: Transaction, wallet: WalletAddress, identity: str, *, now_ms: int
    ) -> tuple[Wallet, bool]:
        linked = tx.find_wallet(identity)
        if linked is not None:
            return linked, False
        user = User(user_id=UserId(self._ids.new()), created_at_ms=now_ms)
        tx.add_user(user)
        linked = tx.add_wallet(self._new_wallet(user.user_id, wallet, identity, now_ms=now_ms))
        created = linked.user_id == user.user_id
        if not created:  # another sign-in with this wallet came first
            tx.remove_user(user.user_id)
        return linked, created

    def _new_session(self, wallet: Wallet, token: str, user_agent: str, *, now_ms: int) -> Session:
        ends_at_ms = now_ms + self._session_absolute_ms
        return Session(
            session_id=SessionId(self._ids.new()),
            user_id=wallet.user_id,
            wallet_id=wallet.wallet_id,
            token_sha256=credentials.fingerprint(token),
            user_agent=_printable(user_agent)[:USER_AGENT_CHARS_MAX],
            created_at_ms=now_ms,
            last_seen_ms=now_ms,
            expires_at_ms=min(now_ms + self._session_idle_ms, ends_at_ms),
            ends_at_ms=ends_at_ms,
        )

    def authenticate_session(self, token: str) -> Principal:
        """One indexed read. The idle expiry is extended by a write at most once a minute."""
        session = self._store.find_session(credentials.fingerprint(token)) if _is_session_token(token) else None
        now_ms = self._clock.now_ms()
        if session is None or now_ms >= session.expires_at_ms:
            raise Unauthenticated("sign in again", code="session_invalid")
        if now_ms - session.last_seen_ms >= self._seen_every_ms:
            expires_at_ms = min(now_ms + self._session_idle_ms, session.ends_at_ms)
            self._store.touch_session(session.session_id, seen_ms=now_ms, expires_at_ms=expires_at_ms)
        return Principal(
            user_id=session.user_id,
            scopes=ALL_SCOPES,
            session_id=session.session_id,
            csrf_token=credentials.csrf_token(token),
        )

    def is_valid(self, principal: Principal) -> bool:
        if principal.session_id is not None:
            return self._store.has_session(principal.session_id, now_ms=self._clock.now_ms())
        return principal.api_key_id is not None and self._store.has_api_key(principal.api_key_id)

    def list_sessions(self, principal: Principal) -> Sequence[SessionView]:
        current_id = _require_session(principal)
        return [
            SessionView(
                session_id=session.session_id,
                wallet_address=address,
                created_at_ms=session.created_at_ms,
                last_seen_ms=session.last_seen_ms,
                expires_at_ms=session.ends_at_ms,
                user_agent=session.user_agent,
                current=session.session_id == current_id,
            )
            for session, address in self._store.list_sessions(principal.user_id, now_ms=self._clock.now_ms())
        ]

    def revoke_session(self, principal: Principal, session_id: str) -> None:
        _require_session(principal)
        with self._store.transaction() as tx:
            gone = tx.delete_sessions(principal.user_id, session_id=session_id) if is_uuid(session_id) else []
            if not gone:
                raise NotFound("no such session", code="session_not_found")
            _publish_end(tx, principal.user_id, gone, at_ms=self._clock.now_ms())

    def revoke_all_sessions(self, principal: Principal) -> None:
        """Ends the caller's own session too. API keys stay."""
        _require_session(principal)
        with self._store.transaction() as tx:
            tx.lock_user(principal.user_id)
            _publish_end(tx, principal.user_id, tx.delete_sessions(principal.user_id), at_ms=self._clock.now_ms())

    # --- wallets -------------------------------------------------------------------------------

    def link_wallet(
        self, principal: Principal, *, challenge_id: str, signature: str, signed_message: str | None
    ) -> WalletView:
        """Link a further wallet to the user; linking it again changes nothing."""
        _require_session(principal)
        wallet, identity = self._proofs.prove(
            ChallengePurpose.LINK,
            user_id=principal.user_id,
            challenge_id=challenge_id,
            signature=signature,
            signed_message=signed_message,
        )
        with self._store.transaction() as tx:
            tx.lock_user(principal.user_id)
            linked = tx.find_wallet(identity)
            if linked is None:
                if tx.count_wallets(principal.user_id) >= WALLETS_PER_USER_MAX:
                    raise Conflict(f"a user has at most {WALLETS_PER_USER_MAX} wallets", code="too_many_wallets")
                linked = tx.add_wallet(
                    self._new_wallet(principal.user_id, wallet, identity, now_ms=self._clock.now_ms())
                )
            if linked.user_id != principal.user_id:
                raise Conflict("this wallet belongs to another user", code="wallet_taken")
        return _wallet_view(linked)

    def _new_wallet(self, user_id: UserId, wallet: WalletAddress, identity: str, *, now_ms: int) -> Wallet:
        return Wallet(
            wallet_id=WalletId(self._ids.new()),
            user_id=user_id,
            identity=identity,
            chain=wallet.chain,
            address=wallet.address,
            linked_at_ms=now_ms,
        )

    # --- API keys ------------------------------------------------------------------------------

    def create_api_key(
        self,
        principal: Principal,
        *,
        name: str,
        scopes: Sequence[Scope],
        idempotency_key: str,
        clone_id: CloneId | None = None,
    ) -> ApiKeyCreated:
        """Create a key and show it this once.

        Repeating the request cannot show the secret again, which nobody remembers: it raises Conflict
        (api_key_already_created), naming the key to revoke if the first answer was lost.
        """
        _require_session(principal)
        name, scopes = _check_api_key(name, scopes, clone_id)
        asked = msgspec.json.encode({"name": name, "scopes": scopes, "clone_id": clone_id})
        request = RequestKey(
            scope=f"users:api_keys:{principal.user_id}", key=idempotency_key, request_sha256=sha256(asked).hexdigest()
        )
        text = credentials.api_key_text(prefix=self._ids.token(), secret=self._ids.token())
        key = ApiKey(
            api_key_id=ApiKeyId(self._ids.new()),
            user_id=principal.user_id,
            name=name,
            scopes=scopes,
            prefix=credentials.api_key_prefix(text),
            key_sha256=credentials.fingerprint(text),
            created_at_ms=self._clock.now_ms(),
            last_used_ms=None,
            clone_id=clone_id,
        )
        with self._store.transaction() as tx:
            tx.lock_user(principal.user_id)
            earlier = tx.recall(request)
            if earlier is not None:
                raise _already_created(earlier.decode())
            if tx.count_api_keys(principal.user_id) >= API_KEYS_PER_USER_MAX:
                raise Conflict(f"a user has at most {API_KEYS_PER_USER_MAX} API keys", code="too_many_api_keys")
            tx.add_api_key(key)
            tx.remember(request, key.api_key_id.encode(), at_ms=key.created_at_ms)
        return ApiKeyCreated(
            api_key_id=key.api_key_id,
            name=name,
            scopes=scopes,
            prefix=key.prefix,
            created_at_ms=key.created_at_ms,
            key=text,
            clone_id=clone_id,
        )

    def authenticate_api_key(self, key: str) -> Principal:
        """One indexed read; a write at most once a minute."""
        found = self._store.find_api_key(credentials.fingerprint(key)) if _is_api_key(key) else None
        if found is None:
            raise Unauthenticated("this API key is not valid", code="api_key_invalid")
        now_ms = self._clock.now_ms()
        if found.last_used_ms is None or now_ms - found.last_used_ms >= SEEN_EVERY_MS_MAX:
            self._store.touch_api_key(found.api_key_id, used_ms=now_ms)
        return Principal(
            user_id=found.user_id,
            scopes=frozenset(found.scopes),
            api_key_id=found.api_key_id,
            clone_id=found.clone_id,
        )

    def list_api_keys(self, principal: Principal) -> Sequence[ApiKeyView]:
        _require_session(principal)
        return [
            ApiKeyView(
                api_key_id=key.api_key_id,
                name=key.name,
                scopes=key.scopes,
                prefix=key.prefix,
                created_at_ms=key.created_at_ms,
                last_used_ms=key.last_used_ms,
                clone_id=key.clone_id,
            )
            for key in self._store.list_api_keys(principal.user_id)
        ]

    def revoke_api_key(self, principal: Principal, api_key_id: str) -> None:
        """Raises NotFound for a key that is not this user's."""
        _require_session(principal)
        with self._store.transaction() as tx:
            if not is_uuid(api_key_id) or not tx.delete_api_key(principal.user_id, api_key_id):
                raise NotFound("no such API key", code="api_key_not_found")
            _publish_end(tx, principal.user_id, [api_key_id], at_ms=self._clock.now_ms())

    # --- users ---------------------------------------------------------------------------------

    def me(self, principal: Principal) -> UserView:
        user = self._store.find_user(principal.user_id)
        assert user is not None, "users are never deleted once they have signed in"
        return UserView(
            user_id=user.user_id,
            display_name=display_name(user.user_id),
            created_at_ms=user.created_at_ms,
            wallets=tuple(_wallet_view(wallet) for wallet in self._store.list_wallets(user.user_id)),
        )

    def display_names(self, user_ids: Sequence[UserId]) -> dict[UserId, str]:
        return {user_id: display_name(user_id) for user_id in user_ids}

    def prune(self) -> int:
        """Delete what expired, a bounded batch at a time. Returns how many rows went: call again until it is 0."""
        now_ms = self._clock.now_ms()
        return self._store.prune(
            challenges_before_ms=now_ms - CHALLENGE_KEPT_MS, sessions_before_ms=now_ms, limit=PRUNE_ROWS_MAX
        )


def _require_session(principal: Principal) -> SessionId:
    """Credentials are managed by a person who signed in: a key that leaks must not breed others."""
    if principal.session_id is None:
        raise Forbidden("sign in with a wallet to do this; an API key may not", code="session_required")
    return principal.session_id


def _publish_end(tx: Transaction, user_id: UserId, gone: Sequence[str], *, at_ms: int) -> None:
    if gone:
        tx.publish(SessionsRevoked(user_id=user_id, session_ids=tuple(gone), at_ms=at_ms))


def _already_created(api_key_id: str) -> Conflict:
    return Conflict(
        f"this request created the key {api_key_id}, and a secret is shown once; "
        "if it was lost, revoke that key and create another",
        code="api_key_already_created",
    )


def _check_api_key(name: str, scopes: Sequence[Scope], clone_id: CloneId | None) -> tuple[str, tuple[Scope, ...]]:
    name = name.strip()
    if not 1 <= len(name) <= API_KEY_NAME_CHARS_MAX or not name.isprintable():
        raise Invalid(
            f"must be 1 to {API_KEY_NAME_CHARS_MAX} printable characters", code="bad_api_key_name", field="name"
        )
    if not scopes:
        raise Invalid("name at least one scope", code="no_scope", field="scopes")
    is_for_clone = Scope.ACT in scopes
    if is_for_clone != (clone_id is not None) or (is_for_clone and set(scopes) != {Scope.ACT}):
        raise Invalid("`act` is given alone, with the clone that it is for", code="act_alone", field="scopes")
    return name, tuple(sorted(set(scopes)))


def _is_session_token(text: str) -> bool:
    return len(text) == credentials.TOKEN_CHARS and text.isascii()


def _is_api_key(text: str) -> bool:
    return len(text) == credentials.KEY_CHARS and text.isascii() and text.startswith(credentials.KEY_MARK)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


def _wallet_view(wallet: Wallet) -> WalletView:
    return WalletView(
        wallet_id=wallet.wallet_id, chain=wallet.chain, address=wallet.address, linked_at_ms=wallet.linked_at_ms
    )
