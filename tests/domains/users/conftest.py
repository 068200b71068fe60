import pytest
from tests.wallets import Wallet

from pump_party.adapters.evm_rpc import EvmRpc
from pump_party.db.engine import Database
from pump_party.db.users import UserStore
from pump_party.domains.users.contract import ChallengePurpose, Principal, SignedIn
from pump_party.domains.users.service import UserService
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids

DOMAIN = "pump.test"
URI = "https://pump.test"
EVM_CHAIN_IDS = frozenset({1, 4326})
IDLE_MS = 12 * 60 * 60 * 1000
ABSOLUTE_MS = 7 * 24 * 60 * 60 * 1000


class Door:
    """The users service with the few steps every test takes."""

    def __init__(self, database: Database, clock: ManualClock, ids: Ids, urls: dict[int, str] | None = None) -> None:
        self.clock = clock
        self.store = UserStore(database)
        self.users = UserService(
            self.store,
            clock,
            ids,
            EvmRpc(urls or {}),
            domain=DOMAIN,
            uri=URI,
            evm_chain_ids=EVM_CHAIN_IDS,
            session_idle_ms=IDLE_MS,
            session_absolute_ms=ABSOLUTE_MS,
        )

    def sign_in(self, wallet: Wallet, *, user_agent: str = "test") -> SignedIn:
        challenge = self.users.create_challenge(
            chain=wallet.chain, address=wallet.address, purpose=ChallengePurpose.SIGN_IN
        )
        return self.users.create_session(
            challenge_id=challenge.challenge_id,
            signature=wallet.sign(challenge.message),
            signed_message=None,
            user_agent=user_agent,
        )

    def enter(self, wallet: Wallet) -> Principal:
        return self.users.authenticate_session(self.sign_in(wallet).token)


@pytest.fixture
def door(database: Database, clock: ManualClock, ids: Ids) -> Door:
    return Door(database, clock, ids)
