"""Wallets that really sign. The EVM side uses eth-account, which shares no code with the product."""

import base64
from typing import Any

import base58
from eth_account import Account
from eth_account.messages import encode_defunct
from nacl.signing import SigningKey

EVM_CHAIN_ID = 4326


class SolanaWallet:
    """A keypair made from a number, so that a test has the same wallet in every run."""

    chain = "solana"

    def __init__(self, number: int = 1) -> None:
        self.key = SigningKey(number.to_bytes(32, "big"))
        self.address = base58.b58encode(bytes(self.key.verify_key)).decode()

    def sign_bytes(self, message: bytes) -> bytes:
        return self.key.sign(message).signature

    def sign(self, message: str) -> str:
        """Base58, as command-line wallets print it."""
        return base58.b58encode(self.sign_bytes(message.encode())).decode()

    def sign_base64(self, message: str) -> str:
        """Base64, as the page sends it."""
        return base64.b64encode(self.sign_bytes(message.encode())).decode()

    def secret_hex(self) -> str:
        """The 32-byte seed, for a wallet inside a browser."""
        return bytes(self.key).hex()


class EvmWallet:
    """A private key made from a number, so that a test has the same wallet in every run."""

    def __init__(self, number: int = 1, *, chain_id: int = EVM_CHAIN_ID) -> None:
        self.account: Any = Account.from_key(number.to_bytes(32, "big"))
        self.address: str = self.account.address
        self.chain = f"eip155:{chain_id}"

    def sign(self, message: str) -> str:
        """`personal_sign` (EIP-191), 0x hex."""
        return "0x" + self.account.sign_message(encode_defunct(text=message)).signature.hex()

    def secret_hex(self) -> str:
        """The private key, for a wallet inside a browser."""
        return self.account.key.hex()


Wallet = SolanaWallet | EvmWallet


def base64_text(message: str) -> str:
    """A message as the `signed_message` of a `signIn` wallet."""
    return base64.b64encode(message.encode()).decode()
