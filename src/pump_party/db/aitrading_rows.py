"""Rows of AI trading as records, and back."""

import binascii
from collections.abc import Sequence
from typing import Any

import msgspec

from pump_party.domains.aitrading.model import Invalidation, PastDecision
from pump_party.domains.aitrading.private import tells
from pump_party.domains.aitrading.records import Call, CallState, Deployment, HeldCondition, Run, RunBody, RunSource
from pump_party.domains.aitrading.run_views import DeploymentState, RunState
from pump_party.kernel.ids import Market

Values = dict[str, Any]


class _TornCondition(msgspec.Struct, frozen=True):
    """A `HeldCondition` of which the box is taken as it was found."""

    market: Market
    condition: Invalidation | None = None
    box_name: str = ""
    place: int = 0
    box: str = ""


_past = msgspec.json.Decoder(tuple[PastDecision, ...]).decode
_conditions = msgspec.json.Decoder(tuple[HeldCondition, ...]).decode
_torn = msgspec.json.Decoder(tuple[_TornCondition, ...]).decode
_body = msgspec.json.Decoder(RunBody).decode
_encode = msgspec.json.Encoder().encode

_DEPLOYMENT = [name for name in Deployment.__struct_fields__ if name not in ("past", "conditions")]
_RUN = [name for name in Run.__struct_fields__ if name != "body"]
_CALL = Call.__struct_fields__

MOVED = (
    "state",
    "code",
    "detail",
    "finished_ms",
    "account_seq",
    "snapshot_sha256",
    "context_sha256",
    "prompt_sha256",
    "answer_sha256",
    "body",
    "sealed",
)
"""The columns of a run that change after it has begun."""


def deployment_values(deployment: Deployment) -> Values:
    values = msgspec.structs.asdict(deployment)
    values["state"] = deployment.state.value
    values["past"] = _encode(deployment.past).decode()
    values["conditions"] = _encode(_thinned(deployment.conditions)).decode()
    return values


def deployment_of(row: Any) -> Deployment:
    values = {name: getattr(row, name) for name in _DEPLOYMENT}
    values["state"] = DeploymentState(row.state)
    return Deployment(**values, past=_past(row.past), conditions=_filled(_conditions_of(row.conditions)))


def _conditions_of(text: str) -> tuple[HeldCondition, ...]:
    try:
        return _conditions(text)
    except msgspec.ValidationError:
        return tuple([_mended(one) for one in _torn(text)])


def _mended(torn: _TornCondition) -> HeldCondition:
    """A box that is not even base64 is none: like any other that cannot be opened it is its clone's trouble alone."""
    try:
        box = binascii.a2b_base64(torn.box, strict_mode=True)
    except binascii.Error:
        box = b""
    return HeldCondition(torn.market, torn.condition, torn.box_name, torn.place, box)


def _thinned(conditions: Sequence[HeldCondition]) -> list[HeldCondition]:
    """Each box once: a run may bring a condition in every market."""
    told: set[str] = set()
    thin = []
    for held in conditions:
        thin.append(msgspec.structs.replace(held, box=b"") if held.box_name in told else held)
        told.add(held.box_name)
    return thin


def _filled(conditions: tuple[HeldCondition, ...]) -> tuple[HeldCondition, ...]:
    if len(conditions) < 2:
        return conditions
    boxes = {held.box_name: held.box for held in conditions if held.box}
    return tuple([msgspec.structs.replace(held, box=boxes.get(held.box_name, b"")) for held in conditions])


def run_values(run: Run) -> Values:
    assert not tells(run), "what is private is sealed before it is stored"
    values = msgspec.structs.asdict(run)
    values["state"] = run.state.value
    values["source"] = run.source.value
    values["body"] = _encode(run.body).decode()
    return values


def run_of(row: Any) -> Run:
    values = {name: getattr(row, name) for name in _RUN}
    values["state"] = RunState(row.state)
    values["source"] = RunSource(row.source)
    return Run(**values, body=_body(row.body))


def call_values(call: Call) -> Values:
    values = msgspec.structs.asdict(call)
    values["state"] = call.state.value
    return values


def call_of(row: Any) -> Call:
    values = {name: getattr(row, name) for name in _CALL}
    values["state"] = CallState(row.state)
    return Call(**values)
