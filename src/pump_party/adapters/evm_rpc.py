"""Asks contracts by `eth_call`, one configured RPC a chain. Whatever is not a plain answer is no answer."""

import asyncio
from collections.abc import Mapping

import httpx2
import msgspec

from pump_party.kernel.errors import Unavailable

CALL_TIME_MS_MAX = 3_000
"""For connection, question and answer together, however slowly they drip."""

REPLY_BYTES_MAX = 64 * 1024
RETURN_BYTES_MAX = 1_024
CALL_GAS_MAX = 2_000_000
REVERTED = 3
EVM_FAILURES = ("revert", "out of gas", "gas required exceeds", "invalid opcode", "stack", "invalid jump")
"""How nodes word a contract that failed; only Geth and its kin also give it a code of its own."""


class RpcError(msgspec.Struct, frozen=True):
    code: int
    message: str = ""


class RpcReply(msgspec.Struct, frozen=True):
    result: str | None = None
    error: RpcError | None = None


class EvmRpc:
    """Implements `domains.users.contract_wallets.ContractWallets`. Call it from threads without an event loop."""

    def __init__(self, urls: Mapping[int, str], *, call_time_ms_max: int = CALL_TIME_MS_MAX) -> None:
        """`urls` by chain id; no entry means that the chain's contract wallets are refused."""
        self._urls = dict(urls)
        self._call_time_s_max = call_time_ms_max / 1000

    def covers(self, evm_chain_id: int) -> bool:
        return evm_chain_id in self._urls

    def call(self, evm_chain_id: int, *, address: str, call_data: bytes) -> bytes | None:
        """What the contract returns; None when it fails or returns too much. Raises Unavailable."""
        question = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "eth_call",
            "params": [{"to": address, "data": "0x" + call_data.hex(), "gas": hex(CALL_GAS_MAX)}, "latest"],
        }
        try:
            body = asyncio.run(self._ask_in_time(self._urls[evm_chain_id], msgspec.json.encode(question)))
            reply = msgspec.json.decode(body, type=RpcReply)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _unavailable(f"the RPC of chain {evm_chain_id} gave no answer") from error
        return _read(reply)

    async def _ask_in_time(self, url: str, question: bytes) -> bytes:
        async with asyncio.timeout(self._call_time_s_max):
            return await _ask(url, question)


async def _ask(url: str, question: bytes) -> bytes:
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    async with (
        httpx2.AsyncClient(timeout=None, trust_env=False) as client,
        client.stream("POST", url, content=question, headers=headers) as response,
    ):
        if response.status_code != httpx2.codes.OK or "Content-Encoding" in response.headers:
            raise _unavailable(f"the RPC answered with status {response.status_code}")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > REPLY_BYTES_MAX:
                raise _unavailable("the RPC answered with too much")
        return bytes(body)


def _read(reply: RpcReply) -> bytes | None:
    if reply.error is not None:
        if reply.error.code == REVERTED or any(words in reply.error.message.lower() for words in EVM_FAILURES):
            return None
        raise _unavailable("the RPC refused the call")
    if reply.result is None or not reply.result.startswith("0x"):
        raise _unavailable("the RPC gave no result")
    if len(reply.result) > 2 + 2 * RETURN_BYTES_MAX:
        return None
    try:
        return bytes.fromhex(reply.result[2:])
    except ValueError as error:
        raise _unavailable("the RPC gave no result") from error


def _unavailable(why: str) -> Unavailable:
    return Unavailable(f"a contract wallet cannot be checked now: {why}; try again", code="contract_wallet_unavailable")
