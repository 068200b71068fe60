"""Wallet extensions for a browser. The page sees what `wallets.js` injects; the keys and the decisions stay here."""

import base64
import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from playwright.sync_api import BrowserContext
from tests.wallets import EvmWallet, SolanaWallet

INJECTED = Path(__file__).with_name("wallets.js").read_text()
USER_REJECTED = 4001
SIGN_IN_FIELDS = {
    "uri": "URI",
    "version": "Version",
    "chainId": "Chain ID",
    "nonce": "Nonce",
    "issuedAt": "Issued At",
    "expirationTime": "Expiration Time",
    "notBefore": "Not Before",
    "requestId": "Request ID",
}


class Refused(Exception):
    """The person said no in the wallet's window."""


class Extension(Protocol):
    """What a wallet in the browser answers. `asked` lists what it was asked for, in order."""

    name: str
    asked: list[str]

    def description(self) -> dict[str, Any]: ...
    def answer(self, method: str, params: Any) -> Any: ...


class SolanaExtension:
    """A Wallet Standard wallet. `declines` refuses signatures; `signs_with` is the key that really signs."""

    def __init__(self, wallet: SolanaWallet, *, name: str = "Sunflare", can_sign_in: bool = False) -> None:
        self.name = name
        self.wallet = self.signs_with = wallet
        self.declines = False
        self.asked: list[str] = []
        self._features = ["standard:connect", "standard:events", "solana:signMessage"]
        if can_sign_in:
            self._features.append("solana:signIn")

    def description(self) -> dict[str, Any]:
        return {"standard": "solana", "name": self.name, "features": self._features}

    def answer(self, method: str, params: Any) -> Any:
        self.asked.append(method)
        if method == "connect":
            return self._account()
        if self.declines:
            raise Refused
        if method == "signMessage":
            assert params["address"] == self.wallet.address
            return {"signature": self._sign(base64.b64decode(params["message"]))}
        assert method == "signIn", method
        message = sign_in_text(params).encode()
        return {
            "account": self._account(),
            "signedMessage": base64.b64encode(message).decode(),
            "signature": self._sign(message),
        }

    def _account(self) -> dict[str, str]:
        public_key = bytes(self.wallet.key.verify_key)
        return {"address": self.wallet.address, "publicKey": base64.b64encode(public_key).decode()}

    def _sign(self, message: bytes) -> str:
        return base64.b64encode(self.signs_with.sign_bytes(message)).decode()


class EvmExtension:
    """An EIP-6963 wallet. `declines` refuses signatures; `selected` is the account chosen in its window."""

    def __init__(self, wallet: EvmWallet, *, name: str = "Foxglove") -> None:
        self.name = name
        self.wallet = self.selected = wallet
        self.declines = False
        self.asked: list[str] = []

    def description(self) -> dict[str, Any]:
        return {"standard": "evm", "name": self.name, "uuid": str(uuid.uuid5(uuid.NAMESPACE_DNS, self.name))}

    def answer(self, method: str, params: Any) -> Any:
        self.asked.append(method)
        if method == "eth_requestAccounts":
            return [self.wallet.address]
        if method == "eth_accounts":
            return [self.selected.address]
        if method == "eth_chainId":
            return hex(int(self.wallet.chain.removeprefix("eip155:")))
        assert method == "personal_sign", method
        if self.declines:
            raise Refused
        message, address = params
        assert address.lower() == self.selected.address.lower()
        return self.selected.sign(bytes.fromhex(message.removeprefix("0x")).decode())


def install(context: BrowserContext, extensions: Sequence[Extension]) -> None:
    """Inject the extensions into every page of the context."""
    by_name = {extension.name: extension for extension in extensions}

    def ask_wallet(_: Any, question: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"result": by_name[question["wallet"]].answer(question["method"], question["params"])}
        except Refused:
            return {"error": {"code": USER_REJECTED, "message": "User rejected the request."}}

    context.expose_binding("askWallet", ask_wallet)
    described = json.dumps([extension.description() for extension in extensions])
    context.add_init_script(f"({INJECTED})({described})")


def sign_in_text(fields: dict[str, Any]) -> str:
    """The text a `signIn` wallet builds from its input (CAIP-122), by the standard and not by the page's code."""
    lines = [f"{fields['domain']} wants you to sign in with your Solana account:", fields["address"]]
    if fields.get("statement"):
        lines += ["", fields["statement"]]
    rows = [f"{label}: {fields[name]}" for name, label in SIGN_IN_FIELDS.items() if fields.get(name)]
    if fields.get("resources"):
        rows += ["Resources:", *(f"- {resource}" for resource in fields["resources"])]
    return "\n".join([*lines, *(["", *rows] if rows else [])])
