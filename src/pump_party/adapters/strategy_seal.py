"""Seals the strategy of a backtest with a data key of its own. Implements `domains.backtests.store.StrategySeal`."""

from collections.abc import Callable

import msgspec

from pump_party.domains.clones.model import SealedKey
from pump_party.domains.clones.sealing import SealBroken, Sealing
from pump_party.kernel.ids import BacktestId, UserId


class _Sealed(msgspec.Struct, frozen=True, array_like=True):
    key_id: str
    wrapped: bytes
    content: bytes


class StrategySeal:
    """`is_first` tells whether nothing was ever sealed here: only then is a platform key made."""

    def __init__(self, sealing: Sealing, is_first: Callable[[], bool]) -> None:
        self._sealing = sealing
        self._is_first = is_first

    def seal(self, user_id: UserId, backtest_id: BacktestId, strategy: bytes) -> bytes:
        key_binding, binding = _bindings(user_id, backtest_id)
        key = self._sealing.new_key(key_binding, first=self._is_first())
        content = self._sealing.seal(key, strategy, key_bound_to=key_binding, bound_to=binding)
        return msgspec.msgpack.encode(_Sealed(key.key_id, key.wrapped, content))

    def open(self, user_id: UserId, backtest_id: BacktestId, sealed: bytes) -> bytes:
        key_binding, binding = _bindings(user_id, backtest_id)
        try:
            kept = msgspec.msgpack.decode(sealed, type=_Sealed)
        except msgspec.DecodeError as error:
            raise SealBroken("a sealed strategy is damaged") from error
        key = SealedKey(kept.key_id, kept.wrapped)
        return self._sealing.open(key, kept.content, key_bound_to=key_binding, bound_to=binding)


def _bindings(user_id: UserId, backtest_id: BacktestId) -> tuple[bytes, bytes]:
    """What its key and what its content are bound to: moved to another backtest neither can be used."""
    return f"backtest-key/1|{user_id}|{backtest_id}".encode(), f"backtest/1|{user_id}|{backtest_id}".encode()
