"""House clones: the strategies that ship with the product, trading by themselves for everybody to look at.

They belong to a user that nobody can sign in as, and their accounts are of a rule set that no contest admits.
"""

import msgspec

from pump_party.domains.aitrading.commands import DeployClone
from pump_party.domains.aitrading.contract import AITrading
from pump_party.domains.clones.contract import (
    Clones,
    HouseStrategy,
    OwnerClone,
    Publish,
    Strategy,
    canonical,
    clone_node,
)
from pump_party.kernel.errors import Conflict
from pump_party.kernel.ids import HOUSE_USER, CloneId

RULE_SET = "house-v1"
CADENCE_S_MIN = 300
"""They are cheap: none decides more often, whatever its strategy says as an example."""


class HouseClones:
    def __init__(self, clones: Clones, trading: AITrading) -> None:
        self._clones = clones
        self._trading = trading

    def open(self) -> int:
        """Create, publish and deploy those that are missing. Returns how many there are.

        Safe to repeat and to do in several processes at once: every step has a key of its own. One that an operator
        has stopped stays stopped. Raises Unavailable.
        """
        there = {clone.name: clone for clone in self._clones.my_clones(HOUSE_USER)}
        opened = [self._open(strategy, there) for strategy in self._clones.house_strategies()]
        return sum(opened)

    def _open(self, strategy: HouseStrategy, there: dict[str, OwnerClone]) -> bool:
        name, key = f"House {strategy.title}", f"house:{strategy.name}"
        clone = there.get(name)
        try:
            if clone is None:
                clone = self._clones.create_clone(HOUSE_USER, name=name, bio=strategy.summary, idempotency_key=key)
            if clone.version is None:
                self._clones.publish(_publishing(clone.clone_id, strategy, key))
            if not self._trading.own_deployments(HOUSE_USER, [clone.clone_id]):
                self._trading.deploy(DeployClone(HOUSE_USER, clone.clone_id, key, RULE_SET))
        except Conflict:
            # Its name is somebody else's already, or another process has come first.
            return clone is not None
        return True


def _publishing(clone_id: CloneId, strategy: HouseStrategy, key: str) -> Publish:
    return Publish(
        user_id=HOUSE_USER,
        clone_id=clone_id,
        strategy=canonical(_slowed(strategy)),
        layout={},
        base_version=None,
        idempotency_key=key,
    )


def _slowed(strategy: HouseStrategy) -> Strategy:
    whole = strategy.strategy
    clone = clone_node(whole)
    slower = msgspec.structs.replace(clone, cadence_s=max(clone.cadence_s, CADENCE_S_MIN))
    return msgspec.structs.replace(whole, nodes=tuple(slower if node is clone else node for node in whole.nodes))
