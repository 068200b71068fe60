from pathlib import Path

import msgspec
import pytest

from pump_party.config import PREFIX, RULES, Settings, SettingsError, describe, load_settings


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    import os

    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def test_every_setting_has_a_rule_and_every_rule_a_setting():
    assert [field.name for field in msgspec.structs.fields(Settings)] == list(RULES)


def test_every_default_obeys_its_own_rule():
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    assert load_settings(defaults) == Settings()


def test_later_wins_from_defaults_over_file_and_environment_to_options(tmp_path, monkeypatch):
    file = tmp_path / "settings.toml"
    file.write_text('speed = 2\nport = 9001\nhost = "::1"\n')
    monkeypatch.setenv("PUMP_PARTY_CONFIG", str(file))
    monkeypatch.setenv("PUMP_PARTY_PORT", "9002")
    monkeypatch.setenv("PUMP_PARTY_SPEED", "3")

    settings = load_settings({"speed": 4, "host": None})

    assert (settings.host, settings.port, settings.speed, settings.ws_port) == ("::1", 9002, 4, 8401)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SPEED", "0", "PUMP_PARTY_SPEED: '0' is out of range; allowed: 1 to 3600"),
        ("SPEED", "3601", "PUMP_PARTY_SPEED: '3601' is out of range; allowed: 1 to 3600"),
        ("SPEED", "1.5", "PUMP_PARTY_SPEED: '1.5' is not a whole number; allowed: 1 to 3600"),
        ("PORT", "65536", "PUMP_PARTY_PORT: '65536' is out of range; allowed: 1 to 65535"),
        ("PORT", "8401", "PUMP_PARTY_WS_PORT: 8401 is also PUMP_PARTY_PORT; allowed: two different ports"),
        ("FEED", "nasdaq", "PUMP_PARTY_FEED: 'nasdaq' is not allowed; allowed: auto | hyperliquid"),
        ("LOG_LEVEL", "loud", "PUMP_PARTY_LOG_LEVEL: 'loud' is not allowed; allowed: debug | info"),
        ("RATE_LIMITS", "maybe", "PUMP_PARTY_RATE_LIMITS: 'maybe' is not allowed; allowed: true or false"),
        (
            "DATABASE_URL",
            "mysql://u:hunter2@h/d",
            "PUMP_PARTY_DATABASE_URL: (hidden) is not allowed; allowed: empty or",
        ),
        (
            "DATABASE_URL",
            "postgresql://u:hunter2@h:first/d",
            "PUMP_PARTY_DATABASE_URL: (hidden) is not allowed; allowed: empty or",
        ),
        ("REDIS_URL", "redis://:hunter2@h:65536/0", "PUMP_PARTY_REDIS_URL: (hidden) is not allowed; allowed: empty or"),
        ("REDIS_URL", "redis://h:6379/first", "PUMP_PARTY_REDIS_URL: (hidden) is not allowed; allowed: empty or"),
        ("BINANCE_WS_URL", "wss://[::1:9443", "PUMP_PARTY_BINANCE_WS_URL: 'wss://[::1:9443' is not allowed"),
        ("PUBLIC_ORIGIN", "https://a.b/path", "PUMP_PARTY_PUBLIC_ORIGIN: 'https://a.b/path' is not allowed"),
        (
            "TRUSTED_PROXIES",
            "::1,10.0.0.999",
            "PUMP_PARTY_TRUSTED_PROXIES: '10.0.0.999' is not allowed; allowed: empty or",
        ),
        ("EVM_CHAIN_IDS", "1;2", "PUMP_PARTY_EVM_CHAIN_IDS: '1;2' is not allowed; allowed: chain ids"),
        ("PROT", "1", "PUMP_PARTY_PROT: unknown setting; did you mean PUMP_PARTY_PORT?"),
        ("ZZZ", "1", "PUMP_PARTY_ZZZ: unknown setting; `pump-party config` lists them all"),
    ],
)
def test_a_bad_value_stops_the_start_and_says_name_value_and_range(monkeypatch, name, value, said):
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith(said)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "postgresql://u:p%40/:w@h.internal:5432/d?sslmode=require"),
        ("database_url", "postgresql:///d?host=/run/postgresql"),
        ("database_url", "postgres://[::1]:65535/d"),
        ("redis_url", "rediss://:p:w@h"),
        ("redis_url", "redis://h:6379/0?protocol=3"),
        ("object_store_url", "file:///var/objects"),
        ("object_store_url", "s3://bucket/prefix"),
        ("hyperliquid_rest_url", "http://127.0.0.1:1"),
    ],
)
def test_an_address_may_have_credentials_a_port_and_parameters(name, value):
    assert getattr(load_settings({name: value}), name) == value


def test_all_problems_are_said_at_once(monkeypatch):
    monkeypatch.setenv("PUMP_PARTY_SPEED", "0")
    monkeypatch.setenv("PUMP_PARTY_PORT", "0")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == ["PUMP_PARTY_PORT", "PUMP_PARTY_SPEED"]


@pytest.mark.parametrize("content", [None, "speed = ", "\xff".encode("latin-1")])
def test_an_unreadable_settings_file_stops_the_start(tmp_path: Path, monkeypatch, content):
    file = tmp_path / "settings.toml"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.setenv("PUMP_PARTY_CONFIG", str(file))
    with pytest.raises(SettingsError, match="PUMP_PARTY_CONFIG: cannot read"):
        load_settings()


def test_a_file_may_use_its_own_types_but_not_wrong_ones(tmp_path, monkeypatch):
    file = tmp_path / "settings.toml"
    monkeypatch.setenv("PUMP_PARTY_CONFIG", str(file))
    file.write_text("rate_limits = false\nspeed = 7\n")
    assert (load_settings().rate_limits, load_settings().speed) == (False, 7)

    for text in ("speed = true", "speed = 1.0", "host = 5", "[speed]\na = 1"):
        file.write_text(text)
        with pytest.raises(SettingsError):
            load_settings()


def test_variables_for_the_tests_are_not_settings(monkeypatch):
    monkeypatch.setenv("PUMP_PARTY_TEST_DATA", "/somewhere")
    assert load_settings() == Settings()


def test_secrets_are_hidden_where_settings_are_shown():
    rows = {row["name"]: row for row in describe(Settings(pyth_api_key="hunter2", database_url="postgresql://u:p@h/d"))}
    assert rows["PUMP_PARTY_PYTH_API_KEY"]["value"] == "(hidden)"
    assert rows["PUMP_PARTY_DATABASE_URL"]["value"] == "(hidden)"
    assert rows["PUMP_PARTY_REDIS_URL"]["value"] == ""
    assert rows["PUMP_PARTY_SPEED"]["allowed"] == "1 to 3600"


@pytest.mark.parametrize(
    ("settings", "origin", "stream"),
    [
        (Settings(), "http://localhost:8400", "ws://localhost:8401/v1/stream"),
        (Settings(public_origin="https://pump.party"), "https://pump.party", "wss://pump.party:8401/v1/stream"),
        (Settings(public_origin="http://10.0.0.1:80"), "http://10.0.0.1:80", "ws://10.0.0.1:8401/v1/stream"),
        (Settings(public_origin="http://[::1]:80"), "http://[::1]:80", "ws://[::1]:8401/v1/stream"),
        (
            Settings(public_origin="https://pump.party", ws_public_url="wss://pump.party/v1/stream"),
            "https://pump.party",
            "wss://pump.party/v1/stream",
        ),
    ],
)
def test_the_page_is_told_where_the_stream_is(settings, origin, stream):
    assert (settings.origin(), settings.stream_url()) == (origin, stream)


def test_only_named_origins_may_use_cookies():
    assert Settings().origins() == {"http://localhost:8400", "http://127.0.0.1:8400"}
    named = Settings(public_origin="https://pump.party", allowed_origins="https://a.b,https://c.d")
    assert named.origins() == {"https://pump.party", "https://a.b", "https://c.d"}


def test_the_chains_that_may_sign_in_are_solana_and_the_listed_evm_chains():
    assert Settings(evm_chain_ids="1,4326").chains() == ("solana", "eip155:1", "eip155:4326")
