import pytest
from eth_abi.abi import encode

from pump_party.domains.users.contract_wallets import encode_question, is_accepted
from pump_party.domains.users.keccak import keccak256


@pytest.mark.parametrize("length", [0, 1, 31, 32, 33, 65, 4096])
def test_the_question_is_the_abi_encoding_of_is_valid_signature(length: int):
    message_hash, signature = keccak256(b"text"), bytes(n % 251 for n in range(length))

    selector = keccak256(b"isValidSignature(bytes32,bytes)")[:4]

    assert encode_question(message_hash, signature) == selector + encode(
        ["bytes32", "bytes"], [message_hash, signature]
    )


def test_only_the_magic_word_is_an_acceptance():
    magic = bytes.fromhex("1626ba7e")

    assert is_accepted(magic + bytes(28))
    for answer in (None, b"", magic, bytes(32), bytes(28) + magic, magic + bytes(27), magic + bytes(60), b"\xff" * 32):
        assert not is_accepted(answer)
