import json
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.domains.users.conftest import Door
from tests.wallets import EvmWallet, SolanaWallet, base64_text

from pump_party.adapters.evm_rpc import CALL_GAS_MAX, REPLY_BYTES_MAX, EvmRpc
from pump_party.db.engine import Database
from pump_party.domains.users.contract import ChallengePurpose
from pump_party.domains.users.contract_wallets import ACCEPTED, encode_question
from pump_party.domains.users.signatures import eip191_hash
from pump_party.kernel.errors import Unauthenticated, Unavailable
from pump_party.platform.clock import ManualClock
from pump_party.platform.ids import Ids

CHAIN_ID = 4326
CONTRACT = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
MAGIC = "0x" + ACCEPTED.hex()
ANSWER_MS = 10_000
SHORT_MS = 400


class Node:
    """An RPC node on loopback that answers every question in the way a test says."""

    def __init__(self, port: int, questions: list[dict]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.questions = questions


@contextmanager
def node(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None, drip_s: float = 0) -> Iterator[Node]:
    questions: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            questions.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                if not drip_s:
                    self.wfile.write(body)
                for byte in body if drip_s else b"":
                    self.wfile.write(bytes([byte]))
                    time.sleep(drip_s)
            except OSError:
                return  # the caller has had enough

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Node(server.server_address[1], questions)
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def silent_node() -> Iterator[str]:
    """Takes the connection and never answers, as a node whose contract loops does."""
    gone = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            gone.wait(10)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            gone.set()
            server.shutdown()
            thread.join()


def reply(result: object = None, error: object = None) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1} | ({"error": error} if error else {"result": result})).encode()


def ask(url: str, *, time_ms: int = ANSWER_MS) -> bytes | None:
    return EvmRpc({CHAIN_ID: url}, call_time_ms_max=time_ms).call(CHAIN_ID, address=CONTRACT, call_data=b"\x01\x02")


def test_the_contract_is_asked_with_bounded_gas_and_its_answer_returned():
    with node(reply(MAGIC)) as rpc:
        assert ask(rpc.url) == ACCEPTED

    (question,) = rpc.questions
    assert question["method"] == "eth_call"
    assert question["params"] == [{"to": CONTRACT, "data": "0x0102", "gas": hex(CALL_GAS_MAX)}, "latest"]


@pytest.mark.parametrize(
    "body",
    [
        reply(error={"code": 3, "message": "execution reverted", "data": "0x08c379a0"}),
        reply(error={"code": -32000, "message": "execution reverted: no"}),
        reply(error={"code": -32000, "message": "out of gas: gas required exceeds: 2000000"}),
        reply(error={"code": -32015, "message": "VM execution error: Reverted"}),
        reply(error={"code": -32000, "message": "invalid opcode: INVALID"}),
        reply("0x" + "00" * 10_000),
    ],
    ids=["reverts", "reverts with a reason", "loops until out of gas", "reverts on parity", "invalid", "returns much"],
)
def test_a_contract_that_fails_accepts_nothing(body: bytes):
    with node(body) as rpc:
        assert ask(rpc.url) is None


@pytest.mark.parametrize(
    ("body", "status", "headers"),
    [
        (reply(MAGIC), 500, {}),
        (reply(MAGIC), 429, {}),
        (reply(MAGIC), 302, {"Location": "http://127.0.0.1:1/"}),
        (reply(MAGIC), 200, {"Content-Encoding": "gzip"}),
        (reply("0x" + "00" * REPLY_BYTES_MAX), 200, {}),
        (b"[" * 50_000, 200, {}),
        (b"", 200, {}),
        (b"<html>", 200, {}),
        (b"\xff\xfe", 200, {}),
        (b"null", 200, {}),
        (reply(None), 200, {}),
        (reply(7), 200, {}),
        (reply("1626ba7e"), 200, {}),
        (reply("0xzz"), 200, {}),
        (reply("0x123"), 200, {}),
        (reply("0x\N{FULLWIDTH DIGIT ONE}\N{FULLWIDTH DIGIT ONE}"), 200, {}),
        (reply(error={"code": -32005, "message": "limit exceeded"}), 200, {}),
        (reply(error={"message": "no code"}), 200, {}),
    ],
)
def test_an_answer_that_is_no_plain_answer_is_no_answer(body: bytes, status: int, headers: dict[str, str]):
    with node(body, status=status, headers=headers) as rpc, pytest.raises(Unavailable) as refusal:
        ask(rpc.url)

    assert refusal.value.code == "contract_wallet_unavailable"


def test_a_node_that_never_answers_is_given_up_in_time():
    with silent_node() as url:
        started = time.monotonic()
        with pytest.raises(Unavailable):
            ask(url, time_ms=SHORT_MS)
        assert time.monotonic() - started < SHORT_MS / 1000 + 2


def test_a_node_that_drips_is_given_up_in_time():
    with node(reply(MAGIC), drip_s=0.1) as rpc:
        started = time.monotonic()
        with pytest.raises(Unavailable):
            ask(rpc.url, time_ms=SHORT_MS)
        assert time.monotonic() - started < SHORT_MS / 1000 + 2


def test_a_node_that_is_away_is_unavailable():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}", "http://", "not a url"):
        with pytest.raises(Unavailable):
            ask(url)


def attempt(door: Door, wallet: EvmWallet, *, address: str = CONTRACT, signature: str = "0x" + "ab" * 200) -> str:
    """Sign in as the contract; what the wallet signs is for the contract to judge."""
    asked = door.users.create_challenge(chain=wallet.chain, address=address, purpose=ChallengePurpose.SIGN_IN)
    try:
        return door.users.create_session(
            challenge_id=asked.challenge_id, signature=signature, signed_message=None, user_agent=""
        ).user_id
    except (Unauthenticated, Unavailable) as refusal:
        return refusal.code


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    return sqlite_database


def test_a_contract_wallet_signs_in_by_its_own_rules(database: Database, clock: ManualClock, ids: Ids):
    with node(reply(MAGIC)) as rpc:
        door = Door(database, clock, ids, {CHAIN_ID: rpc.url})
        asked = door.users.create_challenge(
            chain=f"eip155:{CHAIN_ID}", address=CONTRACT, purpose=ChallengePurpose.SIGN_IN
        )
        signature = "0x" + "ab" * 200
        door.users.create_session(
            challenge_id=asked.challenge_id, signature=signature, signed_message=None, user_agent=""
        )

    (question,) = rpc.questions
    call_data = encode_question(eip191_hash(asked.message), bytes.fromhex(signature[2:]))
    assert question["params"][0] == {"to": CONTRACT, "data": "0x" + call_data.hex(), "gas": hex(CALL_GAS_MAX)}


def test_a_contract_on_one_chain_is_not_the_same_user_as_its_address_elsewhere(
    database: Database, clock: ManualClock, ids: Ids
):
    key_holder = EvmWallet(1)
    with node(reply(MAGIC)) as rpc:
        door = Door(database, clock, ids, {1: rpc.url, CHAIN_ID: rpc.url})
        user_ids = [
            attempt(door, EvmWallet(2, chain_id=c), address=key_holder.address) for c in (1, CHAIN_ID, CHAIN_ID)
        ]

    assert user_ids[1] == user_ids[2]
    assert len({*user_ids, door.sign_in(key_holder).user_id}) == 3


def test_without_a_yes_from_the_contract_nobody_signs_in(database: Database, clock: ManualClock, ids: Ids):
    chain = EvmWallet(2, chain_id=CHAIN_ID)
    outcomes = []
    for body in (reply("0x"), reply("0x" + "00" * 32), reply(error={"code": 3, "message": "execution reverted"}), b"{"):
        with node(body) as rpc:
            outcomes.append(attempt(Door(database, clock, ids, {CHAIN_ID: rpc.url}), chain))

    assert outcomes == ["bad_signature", "bad_signature", "bad_signature", "contract_wallet_unavailable"]


def test_a_chain_without_an_rpc_refuses_contract_wallets_and_bad_input_is_never_forwarded(
    database: Database, clock: ManualClock, ids: Ids
):
    with node(reply(MAGIC)) as rpc:
        elsewhere = Door(database, clock, ids, {1: rpc.url})
        assert attempt(elsewhere, EvmWallet(2, chain_id=CHAIN_ID)) == "bad_signature"
        here = Door(database, clock, ids, {CHAIN_ID: rpc.url})
        for signature in ("", "0x", "ab" * 65, "0x" + "ab" * 5_000, "0xzz"):
            assert attempt(here, EvmWallet(2), signature=signature) == "bad_signature"
        asked = here.users.create_challenge(
            chain=f"eip155:{CHAIN_ID}", address=CONTRACT, purpose=ChallengePurpose.SIGN_IN
        )
        with pytest.raises(Unauthenticated):
            here.users.create_session(
                challenge_id=asked.challenge_id,
                signature="0x" + "ab" * 65,
                signed_message=base64_text("another text"),
                user_agent="",
            )
        solana = SolanaWallet(1)
        asked = here.users.create_challenge(chain="solana", address=solana.address, purpose=ChallengePurpose.SIGN_IN)
        with pytest.raises(Unauthenticated):
            here.users.create_session(
                challenge_id=asked.challenge_id, signature="0x" + "ab" * 65, signed_message=None, user_agent=""
            )

    assert rpc.questions == []
