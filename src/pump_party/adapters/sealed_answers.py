"""What models said in backtests, in the object store, sealed: only the keys can read what is there."""

from hashlib import sha256

from pump_party.adapters.object_store import ObjectStore
from pump_party.adapters.strategy_seal import StrategySeal
from pump_party.domains.clones.sealing import KeyMissing, SealBroken
from pump_party.kernel.errors import NotFound
from pump_party.kernel.ids import BacktestId, UserId


class SealedAnswers:
    """Implements `domains.backtests.store.AnswerBodies`. An answer is sealed under its question's key."""

    def __init__(self, objects: ObjectStore, seal: StrategySeal) -> None:
        self._objects = objects
        self._seal = seal

    def put(self, user_id: UserId, key: str, text: str) -> str:
        sealed = self._seal.seal(user_id, BacktestId(key), text.encode())
        place = sha256(sealed).hexdigest()
        self._objects.put(place, sealed)
        return place

    def get(self, user_id: UserId, key: str, place: str) -> str | None:
        try:
            return self._seal.open(user_id, BacktestId(key), self._objects.get(place)).decode()
        except (NotFound, KeyMissing, SealBroken):
            return None
