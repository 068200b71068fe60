from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from tests.domains.users.conftest import Door
from tests.wallets import EvmWallet, SolanaWallet, Wallet, base64_text

from pump_party.domains.users.challenge import CHALLENGE_LIFE_MS
from pump_party.domains.users.contract import ChallengePurpose, ChallengeView
from pump_party.domains.users.proofs import CHALLENGES_PER_WALLET_MAX
from pump_party.kernel.errors import Invalid, Unauthenticated

BOTH = [SolanaWallet(1), EvmWallet(1)]
TRIES = 50


def ask(door: Door, wallet: Wallet) -> ChallengeView:
    return door.users.create_challenge(chain=wallet.chain, address=wallet.address, purpose=ChallengePurpose.SIGN_IN)


def answer(door: Door, challenge_id: str, signature: str, signed_message: str | None = None) -> str:
    """How an attempt to sign in ends."""
    try:
        door.users.create_session(
            challenge_id=challenge_id, signature=signature, signed_message=signed_message, user_agent=""
        )
    except Unauthenticated as refusal:
        return refusal.code
    return "signed_in"


@pytest.mark.parametrize("wallet", BOTH, ids=["solana", "evm"])
def test_a_challenge_works_once(door: Door, wallet: Wallet):
    challenge = ask(door, wallet)
    signature = wallet.sign(challenge.message)

    outcomes = [answer(door, challenge.challenge_id, signature) for _ in range(3)]

    assert outcomes == ["signed_in", "challenge_used", "challenge_used"]


def test_a_challenge_works_once_under_fifty_tries_at_the_same_time(door: Door):
    wallet = SolanaWallet(2)
    challenge = ask(door, wallet)
    signature = wallet.sign(challenge.message)
    together = Barrier(TRIES)

    def attempt(_: int) -> str:
        together.wait()
        return answer(door, challenge.challenge_id, signature)

    with ThreadPoolExecutor(TRIES) as pool:
        outcomes = Counter(pool.map(attempt, range(TRIES)))

    assert outcomes == {"signed_in": 1, "challenge_used": TRIES - 1}
    assert len(door.users.list_sessions(door.enter(wallet))) == 2


def test_a_bad_signature_spends_the_challenge(door: Door):
    wallet = EvmWallet(2)
    challenge = ask(door, wallet)

    outcomes = [
        answer(door, challenge.challenge_id, EvmWallet(3).sign(challenge.message)),
        answer(door, challenge.challenge_id, wallet.sign(challenge.message)),
    ]

    assert outcomes == ["bad_signature", "challenge_used"]


def test_a_challenge_expires_and_is_forgotten_later(door: Door):
    wallet = SolanaWallet(3)
    in_time, late, forgotten = (ask(door, wallet) for _ in range(3))
    assert in_time.expires_at_ms == door.clock.now_ms() + CHALLENGE_LIFE_MS

    door.clock.advance(CHALLENGE_LIFE_MS - 1)
    assert answer(door, in_time.challenge_id, wallet.sign(in_time.message)) == "signed_in"
    door.clock.advance(1)
    assert answer(door, late.challenge_id, wallet.sign(late.message)) == "challenge_expired"
    door.users.prune()
    assert answer(door, late.challenge_id, wallet.sign(late.message)) == "challenge_expired"
    door.clock.advance(60 * 60 * 1000)
    assert door.users.prune() == 3
    assert answer(door, forgotten.challenge_id, wallet.sign(forgotten.message)) == "challenge_unknown"


def test_an_unknown_or_malformed_challenge_is_unknown(door: Door):
    for challenge_id in ("", "x", "0197f0a0-0000-7000-8000-000000000001", "' OR 1=1 --", "\x00", "9" * 5_000):
        assert answer(door, challenge_id, "anything") == "challenge_unknown"


def test_only_the_newest_challenges_of_a_wallet_are_kept(door: Door):
    wallet, other = EvmWallet(4), EvmWallet(5)
    kept_of_other = ask(door, other)
    challenges = []
    for _ in range(CHALLENGES_PER_WALLET_MAX + 2):
        door.clock.advance(1)
        challenges.append(ask(door, wallet))

    outcomes = [answer(door, c.challenge_id, wallet.sign(c.message)) for c in challenges]

    assert outcomes == ["challenge_unknown"] * 2 + ["signed_in"] * CHALLENGES_PER_WALLET_MAX
    assert answer(door, kept_of_other.challenge_id, other.sign(kept_of_other.message)) == "signed_in"


def test_a_challenge_of_one_wallet_is_no_use_to_another(door: Door):
    mine, theirs = ask(door, SolanaWallet(1)), ask(door, SolanaWallet(2))

    assert answer(door, theirs.challenge_id, SolanaWallet(1).sign(theirs.message)) == "bad_signature"
    assert answer(door, mine.challenge_id, SolanaWallet(1).sign(theirs.message)) == "bad_signature"


def test_a_sign_in_wallet_that_returns_the_text_it_signed_is_accepted(door: Door):
    wallet = SolanaWallet(5)
    challenge = ask(door, wallet)

    outcome = answer(
        door, challenge.challenge_id, wallet.sign_base64(challenge.message), base64_text(challenge.message)
    )

    assert outcome == "signed_in"


def test_a_chain_that_is_not_configured_gets_no_challenge(door: Door):
    with pytest.raises(Invalid) as refusal:
        ask(door, EvmWallet(1, chain_id=10))

    assert refusal.value.code == "unknown_chain"


def line(start: str, new: str) -> Callable[[str], str]:
    """Put another line in the place of the one that begins with `start`."""
    return lambda text: "\n".join(new if old.startswith(start) else old for old in text.split("\n"))


def swapped(first: str, second: str) -> Callable[[str], str]:
    def swap(text: str) -> str:
        lines = text.split("\n")
        one = next(n for n, old in enumerate(lines) if old.startswith(first))
        two = next(n for n, old in enumerate(lines) if old.startswith(second))
        lines[one], lines[two] = lines[two], lines[one]
        return "\n".join(lines)

    return swap


def nonce_of(text: str) -> str:
    return next(old for old in text.split("\n") if old.startswith("Nonce: "))


CHANGED_TEXTS: dict[str, Callable[[str], str]] = {
    "another domain": lambda text: text.replace("pump.test wants", "evil.test wants", 1),
    "a domain that ends alike": lambda text: text.replace("pump.test wants", "pump.test.evil wants", 1),
    "a domain with a scheme": lambda text: "https://" + text,
    "the other account kind": lambda text: text.replace("Ethereum", "X").replace("Solana", "Ethereum"),
    "another address": lambda text: text.replace(text.split("\n")[1], EvmWallet(99).address),
    "the address in lower case": lambda text: text.replace(text.split("\n")[1], text.split("\n")[1].lower()),
    "another statement": line("Signing", "I agree to everything."),
    "no statement": lambda text: text.replace("\n\nSigning proves identity; it moves no funds.", ""),
    "another URI": line("URI:", "URI: https://evil.test"),
    "a URI below the origin": line("URI:", "URI: https://pump.test/path"),
    "another version": line("Version:", "Version: 2"),
    "another chain": line("Chain ID:", "Chain ID: 10"),
    "another nonce": line("Nonce:", "Nonce: ffffffffffffffffffffffffffffffff"),
    "a shorter nonce": lambda text: text.replace(nonce_of(text), nonce_of(text)[:-1]),
    "the nonce in the statement only": lambda text: line("Signing", nonce_of(text))(
        line("Nonce:", "Nonce: ffffffffffffffffffffffffffffffff")(text)
    ),
    "the nonce in a resource only": lambda text: (
        line("Nonce:", "Nonce: ffffffffffffffffffffffffffffffff")(text) + f"\nResources:\n- {nonce_of(text)}"
    ),
    "an earlier issue": line("Issued At:", "Issued At: 2020-01-01T00:00:00.000Z"),
    "a later issue": line("Issued At:", "Issued At: 2030-01-01T00:00:00.000Z"),
    "a later expiry": line("Expiration Time:", "Expiration Time: 2030-01-01T00:00:00.000Z"),
    "no expiry": lambda text: "\n".join(old for old in text.split("\n") if not old.startswith("Expiration")),
    "a not-before": lambda text: text + "\nNot Before: 2020-01-01T00:00:00.000Z",
    "a request id": lambda text: text + "\nRequest ID: 1",
    "a resource": lambda text: text + "\nResources:\n- https://evil.test",
    "a line twice": lambda text: text.replace("Version: 1", "Version: 1\nVersion: 1"),
    "lines in another order": swapped("Chain ID:", "Nonce:"),
    "windows line ends": lambda text: text.replace("\n", "\r\n"),
    "a carriage return": lambda text: text.replace("Version: 1", "Version: 1\r"),
    "a line end more": lambda text: text + "\n",
    "a space more": lambda text: text + " ",
    "a letter that looks alike": lambda text: text.replace("pump", "р\u0075mp", 1),
    "an invisible letter": lambda text: text.replace("pump", "pu\u200bmp", 1),
    "upper case": str.upper,
    "nothing at all": lambda text: "",
}


def test_a_wallet_that_signed_anything_but_the_text_does_not_sign_in(door: Door):
    outcomes = {}
    for name, change in CHANGED_TEXTS.items():
        for wallet in BOTH:
            for offered in (True, False):
                challenge = ask(door, wallet)
                signed = change(challenge.message)
                assert signed != challenge.message, name
                signed_message = base64_text(signed) if offered else None
                outcome = answer(door, challenge.challenge_id, wallet.sign(signed), signed_message)
                outcomes[name, wallet.chain, offered] = outcome

    assert {row: outcome for row, outcome in outcomes.items() if outcome != "bad_signature"} == {}
    assert len(outcomes) == 4 * len(CHANGED_TEXTS)
