"""The only reader of the environment. One frozen `Settings`, from defaults, a TOML file and PUMP_PARTY_* variables.

Later wins: defaults, then the file named by PUMP_PARTY_CONFIG, then variables, then command-line options. An unknown
name or a value out of range stops the start and says the name, the value and what is allowed.
"""

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import msgspec

PREFIX = "PUMP_PARTY_"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
TEST_PREFIX = f"{PREFIX}TEST_"
STREAM_PATH = "/v1/stream"


class SettingsError(Exception):
    """A setting that stops the start: names it, its value and what is allowed."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a setting means and what it may be. `pattern` is for text, `low` and `high` for integers."""

    help: str
    low: int | None = None
    high: int | None = None
    pattern: str | None = None
    allowed: str = ""
    secret: bool = False


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an operator may set. RULES says what each means and allows."""

    data_dir: str = "data"
    database_url: str = ""
    redis_url: str = ""
    object_store_url: str = ""
    tapes_dir: str = ""
    strategy_keys: str = ""
    host: str = "127.0.0.1"
    port: int = 8400
    ws_port: int = 8401
    metrics_host: str = "127.0.0.1"
    public_origin: str = ""
    ws_public_url: str = ""
    allowed_origins: str = ""
    trusted_proxies: str = "127.0.0.1,::1"
    feed: str = "auto"
    speed: int = 1
    loop_tape: bool = True
    price_fan_out_hz: int = 5
    record_raw: bool = False
    pyth_api_key: str = ""
    jupiter_api_key: str = ""
    hyperliquid_ws_url: str = "wss://api.hyperliquid.xyz/ws"
    hyperliquid_rest_url: str = "https://api.hyperliquid.xyz"
    pyth_url: str = "https://hermes.pyth.network"
    jupiter_url: str = "https://api.jup.ag"
    binance_ws_url: str = "wss://stream.binance.com:9443"
    binance_rest_url: str = "https://api.binance.com"
    evm_chain_ids: str = "1,6343,4326"
    evm_rpc_urls: str = ""
    session_idle_minutes: int = 720
    session_absolute_hours: int = 168
    group_commit_batch: int = 1_024
    group_commit_lanes: int = 3
    group_commit_wait_us: int = 500
    log_level: str = "info"
    log_format: str = "auto"
    order_wait_ms: int = 8_000
    rate_limits: bool = True
    house_clones: bool = True
    decisions_kept_days: int = 30
    contest_decisions_kept_days: int = 0
    jobs_kept_days: int = 7
    idempotency_kept_days: int = 7
    models: str = ""
    model_keys: str = ""
    model_urls: str = ""
    model_answer_tokens: int = 4_096
    model_prompt_tokens: int = 24_000
    model_calls_at_once: int = 200
    model_clone_tokens_per_day: int = 2_000_000
    model_owner_tokens_per_day: int = 5_000_000
    model_platform_tokens_per_day: int = 200_000_000
    model_clone_cents_per_day: int = 500
    model_owner_cents_per_day: int = 1_000
    model_platform_cents_per_day: int = 20_000

    def origin(self) -> str:
        """What people type into the browser, and the domain that wallets are asked to sign for."""
        return self.public_origin or f"http://localhost:{self.port}"

    def is_https(self) -> bool:
        return self.origin().startswith("https://")

    def stream_url(self) -> str:
        """The WebSocket URL the page is told."""
        if self.ws_public_url:
            return self.ws_public_url
        scheme, host = ("wss" if self.is_https() else "ws"), _hostname(self.origin())
        return f"{scheme}://{host}:{self.ws_port}{STREAM_PATH}"

    def origins(self) -> frozenset[str]:
        """Origins that may use cookies and sockets. Without a public origin also the other loopback name."""
        further = {origin for origin in self.allowed_origins.split(",") if origin}
        loopback = set() if self.public_origin else {f"http://127.0.0.1:{self.port}"}
        return frozenset({self.origin()} | further | loopback)

    def chains(self) -> tuple[str, ...]:
        """The chains whose wallets may sign in."""
        return ("solana", *(f"eip155:{chain_id}" for chain_id in self.evm_chain_ids.split(",")))


_PLATFORM_KEY = r"[a-z0-9][a-z0-9_-]{0,31}:[0-9a-fA-F]{64}"
_PORT = r"[1-5]?\d{1,4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]"
_SERVER = rf"(\S*@)?([^\s:@/?\[\]]*|\[[0-9a-fA-F:.]+\])(:({_PORT}))?"
_URL = rf"[a-z]\w*://{_SERVER}([/?]\S*)?"
_PROVIDER = r"[a-z][a-z0-9_-]{0,31}"
_MODEL = rf"{_PROVIDER}:[A-Za-z0-9._:/@-]{{1,80}}"
_BUDGET_MAX = 1_000_000_000_000
PORT_MAX = 65_535
ORDER_WAIT_MS_MAX = 8_000

RULES: Mapping[str, Rule] = {
    "data_dir": Rule(help="folder of the SQLite database, tapes and objects", pattern=r".+", allowed="a path"),
    "database_url": Rule(
        help="postgresql://... to use Postgres; empty is SQLite in data_dir",
        pattern=rf"|postgres(ql)?://{_SERVER}([/?]\S*)?",
        allowed="empty or postgresql://user:password@host/name",
        secret=True,
    ),
    "redis_url": Rule(
        help="redis://... to use Redis; empty keeps cache and bus in this process",
        pattern=rf"|rediss?://{_SERVER}(/\d*)?(\?\S*)?",
        allowed="empty or redis://host:port/n",
        secret=True,
    ),
    "object_store_url": Rule(
        help="where raw payloads go; empty is data_dir/objects",
        pattern=rf"|{_URL}",
        allowed="empty, file:///... or s3://bucket/prefix",
        secret=True,
    ),
    "tapes_dir": Rule(
        help="folder of recordings, a folder each, that backtests may play; empty is data_dir/tapes",
        pattern=r".*",
        allowed="a path or empty",
    ),
    "strategy_keys": Rule(
        help="platform keys that seal strategies, the newest first; empty is a key file in data_dir",
        pattern=rf"|{_PLATFORM_KEY}(,{_PLATFORM_KEY}){{0,31}}",
        allowed="empty or id:64 hex digits, comma separated",
        secret=True,
    ),
    "host": Rule(help="address the API and the gateway listen on", pattern=r"\S+", allowed="an address"),
    "port": Rule(help="port of the API and the web app", low=1, high=PORT_MAX),
    "ws_port": Rule(help="port of the WebSocket gateway", low=1, high=PORT_MAX),
    "metrics_host": Rule(
        help="address from which /metrics answers; others get 404",
        pattern=r"\S+",
        allowed="an address, or * for everyone",
    ),
    "public_origin": Rule(
        help="origin people open, such as https://pump.party; empty is http://localhost:<port>",
        pattern=r"|https?://[^/\s]+",
        allowed="empty or scheme://host[:port]",
    ),
    "ws_public_url": Rule(
        help="WebSocket URL the page is told; empty is derived from public_origin and ws_port",
        pattern=r"|wss?://\S+",
        allowed="empty or ws(s)://...",
    ),
    "allowed_origins": Rule(
        help="further origins that may use cookies and sockets, comma separated",
        pattern=r"|https?://[^/\s,]+(,https?://[^/\s,]+)*",
        allowed="origins, comma separated",
    ),
    "trusted_proxies": Rule(
        help="proxies whose X-Forwarded-For is believed, comma separated; empty believes nobody",
        pattern=r"|[0-9a-fA-F.:/]+(,[0-9a-fA-F.:/]+)*",
        allowed="empty or addresses and networks, comma separated",
    ),
    "feed": Rule(
        help="price source: auto, hyperliquid, binance, pyth, jupiter (several with +), tape:DIR, synthetic[:SEED]",
        pattern=r"auto|synthetic(:\d+)?|tape:.+|(hyperliquid|binance|pyth|jupiter)(\+(hyperliquid|binance|pyth|jupiter))*",
        allowed="auto | hyperliquid+binance+pyth+jupiter | tape:DIR | synthetic[:SEED]",
    ),
    "speed": Rule(help="tape seconds per second", low=1, high=3600),
    "loop_tape": Rule(help="start the tape again at its end"),
    "price_fan_out_hz": Rule(help="price updates per market and second, whatever the feed's rate", low=1, high=50),
    "record_raw": Rule(help="keep every raw price payload in the object store"),
    "pyth_api_key": Rule(help="Bearer key for Pyth Hermes", pattern=r"\S*", allowed="a key", secret=True),
    "jupiter_api_key": Rule(help="x-api-key for Jupiter", pattern=r"\S*", allowed="a key", secret=True),
    "hyperliquid_ws_url": Rule(help="Hyperliquid WebSocket", pattern=_URL, allowed="a URL"),
    "hyperliquid_rest_url": Rule(help="Hyperliquid REST", pattern=_URL, allowed="a URL"),
    "pyth_url": Rule(help="Pyth Hermes", pattern=_URL, allowed="a URL"),
    "jupiter_url": Rule(help="Jupiter", pattern=_URL, allowed="a URL"),
    "binance_ws_url": Rule(help="Binance WebSocket", pattern=_URL, allowed="a URL"),
    "binance_rest_url": Rule(
        help="Binance REST, for the snapshots that order books begin with", pattern=_URL, allowed="a URL"
    ),
    "evm_chain_ids": Rule(
        help="EVM chains that may sign in, comma separated",
        pattern=r"\d{1,12}(,\d{1,12})*",
        allowed="chain ids, comma separated",
    ),
    "evm_rpc_urls": Rule(
        help="RPC per chain for contract wallets (EIP-1271): 4326=https://...; empty refuses contract wallets",
        pattern=r"|\d+=https?://\S+(,\d+=https?://\S+)*",
        allowed="chain=url pairs, comma separated",
        secret=True,
    ),
    "session_idle_minutes": Rule(help="a session ends after this long unused", low=1, high=43200),
    "session_absolute_hours": Rule(help="a session ends after this long in any case", low=1, high=720),
    "group_commit_batch": Rule(help="most orders in one transaction", low=1, high=1_024),
    "group_commit_lanes": Rule(
        help="batches under way at once on Postgres: one decides while another is written; SQLite has one",
        low=1,
        high=8,
    ),
    "group_commit_wait_us": Rule(help="longest wait for a batch to fill, in microseconds", low=0, high=20_000),
    "log_level": Rule(
        help="least severe log line",
        pattern=r"debug|info|warning|error",
        allowed="debug | info | warning | error",
    ),
    "log_format": Rule(
        help="json lines, console text, or auto (console on a terminal)",
        pattern=r"auto|json|console",
        allowed="auto | json | console",
    ),
    "order_wait_ms": Rule(
        help="longest wait of a REST order for its end, in milliseconds; a request may ask for less",
        low=0,
        high=ORDER_WAIT_MS_MAX,
    ),
    "rate_limits": Rule(help="enforce request limits; off only for load tests"),
    "house_clones": Rule(help="clones that ship with the product trade by themselves, for everybody to look at"),
    "decisions_kept_days": Rule(
        help="days that decisions of clones are kept, with what was seen, asked and answered; 0 for ever",
        low=0,
        high=3_650,
    ),
    "contest_decisions_kept_days": Rule(
        help="the same on accounts that a contest may admit, whose evidence verification needs; 0 for ever",
        low=0,
        high=3_650,
    ),
    "jobs_kept_days": Rule(help="days that a job of any kind is kept once it is done; 0 for ever", low=0, high=3_650),
    "idempotency_kept_days": Rule(help="days that an Idempotency-Key is remembered; 0 for ever", low=0, high=3_650),
    "models": Rule(
        help="language models that strategies may name, comma separated; empty offers none",
        pattern=rf"|{_MODEL}(,{_MODEL})*",
        allowed="provider:model, comma separated; providers: openai, anthropic, google, xai, deepseek, qwen, "
        "openrouter, or a name from model_urls",
    ),
    "model_keys": Rule(
        help="API key per provider of models: openai=sk-...,anthropic=...",
        pattern=rf"|{_PROVIDER}=[^\s,]+(,{_PROVIDER}=[^\s,]+)*",
        allowed="provider=key pairs, comma separated",
        secret=True,
    ),
    "model_urls": Rule(
        help="base URL per provider: ollama=http://localhost:11434/v1 adds an OpenAI-compatible server, a known "
        "provider's name replaces its URL",
        pattern=rf"|{_PROVIDER}=https?://[^\s,]+(,{_PROVIDER}=https?://[^\s,]+)*",
        allowed="provider=url pairs, comma separated",
        secret=True,
    ),
    "model_answer_tokens": Rule(help="most tokens of one answer", low=64, high=32_768),
    "model_prompt_tokens": Rule(help="most tokens of one prompt", low=1_000, high=200_000),
    "model_calls_at_once": Rule(help="model calls under way at once", low=1, high=500),
    "model_clone_tokens_per_day": Rule(help="tokens a clone may use in a UTC day", low=0, high=_BUDGET_MAX),
    "model_owner_tokens_per_day": Rule(
        help="tokens all clones of a user may use in a UTC day", low=0, high=_BUDGET_MAX
    ),
    "model_platform_tokens_per_day": Rule(help="tokens everybody may use in a UTC day", low=0, high=_BUDGET_MAX),
    "model_clone_cents_per_day": Rule(help="US cents a clone may spend in a UTC day", low=0, high=_BUDGET_MAX),
    "model_owner_cents_per_day": Rule(
        help="US cents all clones of a user may spend in a UTC day", low=0, high=_BUDGET_MAX
    ),
    "model_platform_cents_per_day": Rule(help="US cents everybody may spend in a UTC day", low=0, high=_BUDGET_MAX),
}


def load_settings(overrides: Mapping[str, Any] | None = None) -> Settings:
    """Read file and environment. `overrides` are command-line options; None values are ignored.

    Raises SettingsError with one line per problem.
    """
    values = _read_file() | _read_environment()
    values |= {name: value for name, value in (overrides or {}).items() if value is not None}

    kinds = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    problems: list[str] = []
    checked: dict[str, Any] = {}
    for name, value in values.items():
        try:
            checked[name] = _check(name, value, kinds[name]) if name in kinds else _refuse_unknown(name)
        except SettingsError as error:
            problems.append(str(error))
    if problems:
        raise SettingsError("\n".join(sorted(problems)))
    settings = Settings(**checked)
    if settings.port == settings.ws_port:
        raise SettingsError(f"{PREFIX}WS_PORT: {settings.ws_port} is also {PREFIX}PORT; allowed: two different ports")
    _check_networks("trusted_proxies", settings.trusted_proxies)
    return settings


def _check_networks(name: str, text: str) -> None:
    """No pattern tells an address from what only looks like one, and a proxy mistyped is a proxy not believed."""
    for item in filter(None, text.split(",")):
        try:
            ipaddress.ip_network(item, strict=False)
        except ValueError as error:
            label = f"{PREFIX}{name.upper()}"
            raise SettingsError(f"{label}: {item!r} is not allowed; allowed: {RULES[name].allowed}") from error


def _read_environment() -> dict[str, Any]:
    return {
        name.removeprefix(PREFIX).lower(): text
        for name, text in os.environ.items()
        if name.startswith(PREFIX) and name != CONFIG_VARIABLE and not name.startswith(TEST_PREFIX)
    }


def _read_file() -> dict[str, Any]:
    path = os.environ.get(CONFIG_VARIABLE)
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{CONFIG_VARIABLE}: cannot read {path}: {error}") from error


def _refuse_unknown(name: str) -> NoReturn:
    close = difflib.get_close_matches(name, RULES, n=1)
    hint = f"did you mean {PREFIX}{close[0].upper()}?" if close else "`pump-party config` lists them all"
    raise SettingsError(f"{PREFIX}{name.upper()}: unknown setting; {hint}")


def _check(name: str, value: Any, kind: Any) -> Any:
    rule = RULES[name]
    shown = "(hidden)" if rule.secret else repr(value)
    label = f"{PREFIX}{name.upper()}"
    if kind is bool:
        text = str(value).lower()
        if text not in ("true", "false", "1", "0", "yes", "no", "on", "off"):
            raise SettingsError(f"{label}: {shown} is not allowed; allowed: true or false")
        return text in ("true", "1", "yes", "on")
    if kind is int:
        if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,18}", str(value)):
            raise SettingsError(f"{label}: {shown} is not a whole number; allowed: {rule.low} to {rule.high}")
        number = int(value)
        if (rule.low is not None and number < rule.low) or (rule.high is not None and number > rule.high):
            raise SettingsError(f"{label}: {shown} is out of range; allowed: {rule.low} to {rule.high}")
        return number
    if not isinstance(value, str) or (rule.pattern is not None and not re.fullmatch(rule.pattern, value)):
        raise SettingsError(f"{label}: {shown} is not allowed; allowed: {rule.allowed}")
    return value


def describe(settings: Settings) -> list[dict[str, Any]]:
    """Every setting with its effective value (secrets hidden), default, meaning and allowed values."""
    rows = []
    for field in msgspec.structs.fields(Settings):
        rule = RULES[field.name]
        value = getattr(settings, field.name)
        rows.append(
            {
                "name": f"{PREFIX}{field.name.upper()}",
                "value": "(hidden)" if rule.secret and value else value,
                "default": field.default,
                "allowed": rule.allowed or (f"{rule.low} to {rule.high}" if rule.low is not None else "true or false"),
                "help": rule.help,
            }
        )
    return rows


def _hostname(origin: str) -> str:
    authority = origin.split("://", 1)[1]
    return re.sub(r":\d+$", "", authority)
