import re

from pump_party.domains.users.credentials import (
    KEY_CHARS,
    TOKEN_CHARS,
    api_key_prefix,
    api_key_text,
    csrf_token,
    fingerprint,
    token_text,
)


def test_a_token_is_all_its_256_bits_in_a_form_fit_for_cookies():
    texts = {token_text(bytes(31) + bytes([number])) for number in range(256)}

    assert len(texts) == 256
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", text) and len(text) == TOKEN_CHARS for text in texts)


def test_an_api_key_shows_its_prefix_and_holds_its_secret():
    key = api_key_text(prefix=b"\x12\x34\x56\x78" + bytes(28), secret=b"\xff" * 32)

    assert key == "pp_12345678_" + "_" * 42 + "8"
    assert len(key) == KEY_CHARS
    assert api_key_prefix(key) == "pp_12345678"


def test_the_csrf_token_follows_from_the_session_token_and_says_nothing_of_it():
    token, other = token_text(b"a" * 32), token_text(b"b" * 32)

    assert csrf_token(token) == csrf_token(token)
    assert len({token, csrf_token(token), csrf_token(other)}) == 3
    assert fingerprint(csrf_token(token)) != fingerprint(token)
