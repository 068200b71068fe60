"""The words a rule is made of: operands, conditions, actions, clauses. A rule needs no language model.

The first clause whose condition holds decides; when none holds, the clone holds. What a number is compared with must
have the number's unit. Ranges are checked by `validation.py`, which names every problem at once.
"""

from enum import StrEnum
from typing import Annotated, Any

import msgspec

from pump_party.domains.marketdata.contract import Feature, FeatureUnit

CONDITION_DEPTH_MAX = 8
CONDITIONS_PER_GROUP_MAX = 8
CLAUSES_MAX = 16
NUMBER_CHARS_MAX = 24
SEED_MAX = 2**31 - 1
SCALE_PPM_MAX = 100_000_000
LEVERAGE_MAX = 20
PPM_MAX = 1_000_000


def ranged(low: int, high: int, description: str) -> Any:
    """Bounds for the published schema. They do not make decoding fail: validation says every problem with its place."""
    return msgspec.Meta(description=description, extra_json_schema={"minimum": low, "maximum": high})


Ppm = Annotated[int, ranged(0, PPM_MAX, "parts per million")]


class Op(StrEnum):
    ABOVE = "above"
    BELOW = "below"


class PositionFigure(StrEnum):
    """A ratio of the position that the clone holds in the market; 0 while it holds none.

    `share` is the position's share of equity, negative when short; of a perpetual it is the margin's share.
    `return` is the unrealised profit over what the position cost; of a perpetual over its margin.
    """

    SHARE = "share"
    RETURN = "return"


class FeatureOperand(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="feature"):
    """A number of market memory, multiplied by `scale_ppm`: 1_020_000 is two per cent more."""

    feature: Feature
    scale_ppm: Annotated[int, ranged(-SCALE_PPM_MAX, SCALE_PPM_MAX, "1000000 is unscaled")] = 1_000_000


class NumberOperand(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="number"):
    """A decimal string such as "-0.015", in the unit of what it is compared with."""

    value: Annotated[str, msgspec.Meta(extra_json_schema={"pattern": r"^-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,9})?$"})]
    unit: FeatureUnit


class PositionOperand(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="position"):
    which: PositionFigure


Operand = FeatureOperand | NumberOperand | PositionOperand


class Compare(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="compare"):
    """Holds while `left` is strictly above or below `right`; never while either has no value yet."""

    left: Operand
    op: Op
    right: Operand


class Cross(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="cross"):
    """Holds on the bar on which `left` went from the other side, or from equal, to strictly above or below `right`."""

    left: Operand
    op: Op
    right: Operand


class AllOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="all"):
    conditions: tuple["Condition", ...]


class AnyOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="any"):
    conditions: tuple["Condition", ...]


class Not(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="not"):
    condition: "Condition"


class Always(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="always"):
    pass


class Chance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="chance"):
    """Holds in this share of slots, decided by the seed, the market and the slot: the same in every replay."""

    ppm: Ppm
    seed: Annotated[int, ranged(0, SEED_MAX, "two rules with one seed see the same chance")]


Condition = Compare | Cross | AllOf | AnyOf | Not | Always | Chance


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="target"):
    """Hold this share of equity in the market; negative is short, which only a perpetual can be.

    Nothing is traded while the position is within `band_ppm` of equity around the target. `stop_ppm` and
    `target_ppm` are the distances of the exits from the price at the decision, None for none.
    """

    share_ppm: Annotated[int, ranged(-PPM_MAX, PPM_MAX, "share of equity; negative is short")]
    leverage: Annotated[int, ranged(1, LEVERAGE_MAX, "of a perpetual; 1 for spot")] = 1
    band_ppm: Ppm = 0
    stop_ppm: Annotated[int | None, ranged(1, PPM_MAX, "distance of the stop from the price")] = None
    target_ppm: Annotated[int | None, ranged(1, PPM_MAX, "distance of the profit target from the price")] = None


class Close(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="close"):
    pass


class Hold(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="hold"):
    pass


RuleAction = Target | Close | Hold


class Clause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    when: Condition
    then: RuleAction
