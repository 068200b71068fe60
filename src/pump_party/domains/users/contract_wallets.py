"""Contract wallets (EIP-1271): the question put to the contract, and the one answer that counts."""

from typing import Protocol

IS_VALID_SIGNATURE = bytes.fromhex("1626ba7e")
ACCEPTED = IS_VALID_SIGNATURE + bytes(28)
_WORD = 32
_OFFSET_OF_BYTES = 2 * _WORD


class ContractWallets(Protocol):
    """Asks contracts on configured chains. `adapters/evm_rpc.py` implements it."""

    def covers(self, evm_chain_id: int) -> bool:
        """Whether contracts of this chain can be asked at all."""
        ...

    def call(self, evm_chain_id: int, *, address: str, call_data: bytes) -> bytes | None:
        """What the contract returns; None when it reverts, runs out of gas or returns too much.

        Raises Unavailable (contract_wallet_unavailable) when nobody answers in time. Never guesses.
        """
        ...


def encode_question(message_hash: bytes, signature: bytes) -> bytes:
    """Call data of isValidSignature(bytes32, bytes)."""
    assert len(message_hash) == _WORD
    padding = bytes(-len(signature) % _WORD)
    return (
        IS_VALID_SIGNATURE
        + message_hash
        + _OFFSET_OF_BYTES.to_bytes(_WORD, "big")
        + len(signature).to_bytes(_WORD, "big")
        + signature
        + padding
    )


def is_accepted(answer: bytes | None) -> bool:
    """Only the magic value in exactly one word: an address without code answers with nothing."""
    return answer == ACCEPTED
