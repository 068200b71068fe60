"""The rules an account plays by, pinned for its whole life and versioned by their hash."""

import msgspec

from pump_party.domains.prop_engine.model import SpotParams
from pump_party.domains.prop_engine.perp_model import PerpParams
from pump_party.domains.prop_engine.risk import RiskRules
from pump_party.domains.prop_interface.contract import AccountKind, FillMode, PriceMode
from pump_party.kernel.ids import Market


class RuleSet(msgspec.Struct, frozen=True):
    """What an account plays by: start capital, how orders fill, every market's parameters, limits on risk."""

    name: str
    kind: AccountKind
    start_micros: int
    contest_eligible: bool
    params_sha256: str
    spot: dict[Market, SpotParams]
    perp: dict[Market, PerpParams]
    risk: RiskRules
    fill_mode: FillMode = FillMode.LATEST
    price_mode: PriceMode = PriceMode.ORACLE
    default: bool = False
    """Whether accounts of this kind play by it when they name no rule set."""
