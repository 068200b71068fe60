"""Asks a wallet for a signature and judges the answer. A challenge works once, whatever the answer was."""

from collections.abc import Set as AbstractSet

from pump_party.domains.users.addresses import contract_identity, key_identity, parse_wallet
from pump_party.domains.users.challenge import CHALLENGE_LIFE_MS, NONCE_BYTES, LinkRequest, build_message
from pump_party.domains.users.contract import ChallengePurpose, ChallengeView
from pump_party.domains.users.contract_wallets import ContractWallets, encode_question, is_accepted
from pump_party.domains.users.model import Challenge, WalletAddress
from pump_party.domains.users.signatures import decode_evm_signature, eip191_hash, is_same_text, proves_key
from pump_party.domains.users.store import Store
from pump_party.kernel.errors import Unauthenticated
from pump_party.kernel.ids import ChallengeId, UserId, is_uuid
from pump_party.platform.clock import Clock
from pump_party.platform.ids import Ids

CHALLENGES_PER_WALLET_MAX = 10
"""Of a wallet's challenges the newest are kept: a stranger who asks for many cannot lock its owner out for long."""


class WalletProofs:
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
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._rpc = rpc
        self._domain = domain
        self._uri = uri
        self._evm_chain_ids = frozenset(evm_chain_ids)

    def ask(
        self, *, chain: str, address: str, purpose: ChallengePurpose, user_id: UserId | None = None
    ) -> ChallengeView:
        """Build and store the text to sign."""
        assert (purpose is ChallengePurpose.LINK) == (user_id is not None)
        wallet = parse_wallet(chain, address, evm_chain_ids=self._evm_chain_ids)
        challenge_id = ChallengeId(self._ids.new())
        now_ms = self._clock.now_ms()
        message = build_message(
            wallet,
            domain=self._domain,
            uri=self._uri,
            nonce=self._ids.token()[:NONCE_BYTES].hex(),
            issued_at_ms=now_ms,
            link=None if user_id is None else LinkRequest(challenge_id=challenge_id, user_id=user_id),
        )
        challenge = Challenge(
            challenge_id=challenge_id,
            purpose=purpose,
            user_id=user_id,
            chain=wallet.chain,
            address=wallet.address,
            message=message,
            issued_at_ms=now_ms,
            expires_at_ms=now_ms + CHALLENGE_LIFE_MS,
        )
        self._store.add_challenge(challenge, kept_per_wallet=CHALLENGES_PER_WALLET_MAX)
        return ChallengeView(challenge_id=challenge_id, message=message, expires_at_ms=challenge.expires_at_ms)

    def prove(
        self,
        purpose: ChallengePurpose,
        *,
        user_id: UserId | None,
        challenge_id: str,
        signature: str,
        signed_message: str | None,
    ) -> tuple[WalletAddress, str]:
        """Spend the challenge, then check the signature. Returns the wallet and the identity it proved.

        The challenge is spent, and committed as spent, before anything is made of the signature: whatever
        happens next, it never works again.
        """
        challenge = self._spend(challenge_id, purpose, user_id)
        wallet = parse_wallet(challenge.chain, challenge.address, evm_chain_ids=self._evm_chain_ids)
        if proves_key(wallet, challenge.message, signature=signature, signed_message=signed_message):
            return wallet, key_identity(wallet)
        if is_same_text(challenge.message, signed_message) and self._contract_accepts(
            wallet, challenge.message, signature
        ):
            return wallet, contract_identity(wallet)
        raise Unauthenticated("the signature does not prove this wallet", code="bad_signature", field="signature")

    def _spend(self, challenge_id: str, purpose: ChallengePurpose, user_id: UserId | None) -> Challenge:
        unknown = Unauthenticated(
            "no such challenge; ask for a new one", code="challenge_unknown", field="challenge_id"
        )
        if not is_uuid(challenge_id):
            raise unknown
        now_ms = self._clock.now_ms()
        spent = self._store.spend_challenge(challenge_id, purpose=purpose, user_id=user_id, now_ms=now_ms)
        challenge = self._store.find_challenge(challenge_id)
        if challenge is None or challenge.purpose is not purpose or challenge.user_id != user_id:
            raise unknown
        if spent:
            return challenge
        if challenge.used_at_ms is not None:
            raise Unauthenticated(
                "this challenge was used; ask for a new one", code="challenge_used", field="challenge_id"
            )
        raise Unauthenticated(
            "this challenge has expired; ask for a new one", code="challenge_expired", field="challenge_id"
        )

    def _contract_accepts(self, wallet: WalletAddress, message: str, signature: str) -> bool:
        if wallet.evm_chain_id is None or not self._rpc.covers(wallet.evm_chain_id):
            return False
        raw = decode_evm_signature(signature)
        if raw is None:
            return False
        question = encode_question(eip191_hash(message), raw)
        return is_accepted(self._rpc.call(wallet.evm_chain_id, address=wallet.address, call_data=question))
