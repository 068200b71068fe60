"""Builds the whole text a wallet signs: CAIP-122 in the form that SIWE (EIP-4361) and SIWS share byte for byte.

The server is its only author. Nothing reads such a text back: a signature is checked against the stored bytes, so
there is no grammar to fool. A page that uses a Solana wallet's `signIn` hands it these very fields and gets the
same bytes.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from pump_party.domains.users.model import WalletAddress

CHALLENGE_LIFE_MS = 5 * 60 * 1000
NONCE_BYTES = 16
SOLANA_CHAIN_ID = "solana:mainnet"
SIGN_IN_STATEMENT = "Signing proves identity; it moves no funds."
LINK_STATEMENT = "Signing links this wallet to your Pump Party user; it moves no funds."

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LinkRequest(msgspec.Struct, frozen=True):
    """Makes a text that links a wallet to a user and is good for nothing else."""

    challenge_id: str
    user_id: str

    def request_id(self) -> str:
        return f"link:{self.challenge_id}:{self.user_id}"


def build_message(
    wallet: WalletAddress, *, domain: str, uri: str, nonce: str, issued_at_ms: int, link: LinkRequest | None
) -> str:
    """The text to sign, valid for CHALLENGE_LIFE_MS. `link` is given for the purpose link only."""
    evm = wallet.evm_chain_id is not None
    lines = [
        f"{domain} wants you to sign in with your {'Ethereum' if evm else 'Solana'} account:",
        wallet.address,
        "",
        SIGN_IN_STATEMENT if link is None else LINK_STATEMENT,
        "",
        f"URI: {uri}",
        "Version: 1",
        f"Chain ID: {wallet.evm_chain_id if evm else SOLANA_CHAIN_ID}",
        f"Nonce: {nonce}",
        f"Issued At: {_iso_time(issued_at_ms)}",
        f"Expiration Time: {_iso_time(issued_at_ms + CHALLENGE_LIFE_MS)}",
    ]
    if link is not None:
        lines.append(f"Request ID: {link.request_id()}")
    assert all(line.isascii() and (line.isprintable() or not line) for line in lines)
    return "\n".join(lines)


def _iso_time(at_ms: int) -> str:
    time = _EPOCH + timedelta(milliseconds=at_ms)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
