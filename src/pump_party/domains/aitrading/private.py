"""What is private of a run, its owner's alone: sealed for its clone in one box before it is stored.

Of a proposal these are reason, exits, condition and confidence, of a verdict the limits it tells. A condition in force
lies in the box of the run that brought it. Runs of earlier releases have some of it in the clear, and stay readable.
"""

from collections.abc import Mapping, Sequence

import msgspec

from pump_party.domains.aitrading.model import Invalidation, OpenInvalidation, Proposal, Verdict
from pump_party.domains.aitrading.records import Deployment, HeldCondition, Run
from pump_party.domains.clones.contract import Clones
from pump_party.kernel.ids import CloneId, DeploymentId

NO_CONDITIONS: Mapping[HeldCondition, OpenInvalidation] = {}


class _Secrets(msgspec.Struct, frozen=True, array_like=True):
    """Of a proposal and its verdict. Of one that has none but its reason the reason alone is in the box."""

    reason: str
    stop_price_e8: int | None = None
    target_price_e8: int | None = None
    invalidation: Invalidation | None = None
    confidence_ppm: int | None = None
    detail: str = ""


_Kept = str | _Secrets

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[_Kept, ...]).decode


def tells(run: Run) -> bool:
    """Whether something private lies in the clear in its body."""
    body = run.body
    return any(one.reason or _has_more(one) for one in body.proposals) or any(one.detail for one in body.verdicts)


def sealed(clones: Clones, runs: Sequence[Run]) -> Sequence[Run]:
    """The same runs with nothing private in the clear. Raises NotFound, Unavailable: a key is missing."""
    telling = [run for run in runs if tells(run)]
    if not telling:
        return runs
    whole = opened(clones, telling)
    plain = [(run.clone_id, run.box_name, _encode(_secrets(run))) for run in whole]
    shut = {run.run_id: _blank(run, box) for run, box in zip(whole, clones.seal_artifacts(plain), strict=True)}
    return [shut.get(run.run_id, run) for run in runs]


def opened(clones: Clones, runs: Sequence[Run]) -> Sequence[Run]:
    """The same runs with what is private of them. Raises NotFound, Unavailable: a key is missing."""
    boxes = [(run.clone_id, run.box_name, run.sealed) for run in runs if run.sealed is not None]
    if not boxes:
        return runs
    plain = iter(clones.open_artifacts(boxes))
    return [run if run.sealed is None else _with(run, _decode(next(plain))) for run in runs]


def conditions_of(
    clones: Clones,
    deployments: Sequence[Deployment],
    known: Mapping[HeldCondition, OpenInvalidation] = NO_CONDITIONS,
) -> Mapping[DeploymentId, tuple[OpenInvalidation, ...]]:
    """The conditions in force of each, in their order; boxes of `known` ones stay shut.

    Raises NotFound, Unavailable: a key is missing.
    """
    shut = [(d.clone_id, held) for d in deployments for held in d.conditions if held.box and held not in known]
    places = dict.fromkeys((clone_id, held.box_name, held.box) for clone_id, held in shut)
    boxes = dict(zip(places, map(_decode, clones.open_artifacts(list(places))), strict=True)) if shut else {}

    def open_one(clone_id: CloneId, held: HeldCondition) -> OpenInvalidation:
        if held.condition is not None:
            return OpenInvalidation(held.market, held.condition)
        found = known.get(held)
        if found is None:
            kept = boxes[clone_id, held.box_name, held.box][held.place]
            assert isinstance(kept, _Secrets)
            assert kept.invalidation is not None
            found = OpenInvalidation(held.market, kept.invalidation)
        return found

    return {d.deployment_id: tuple([open_one(d.clone_id, held) for held in d.conditions]) for d in deployments}


def sealed_conditions(clones: Clones, deployment: Deployment) -> Mapping[HeldCondition, HeldCondition]:
    """Those of an earlier release, which lie in the clear, and the same sealed. Raises as `conditions_of`."""
    clear = [held for held in deployment.conditions if held.condition is not None]
    name = f"conditions/{deployment.deployment_id}"
    secrets = _encode([_Secrets("", invalidation=held.condition) for held in clear])
    (box,) = clones.seal_artifacts([(deployment.clone_id, name, secrets)])
    return {held: HeldCondition(held.market, box_name=name, place=place, box=box) for place, held in enumerate(clear)}


def _has_more(one: Proposal) -> bool:
    return (
        one.invalidation is not None
        or one.stop_price_e8 is not None
        or one.target_price_e8 is not None
        or one.confidence_ppm is not None
    )


def _secrets(run: Run) -> list[_Kept]:
    return [_secret(one, verdict) for one, verdict in zip(run.body.proposals, run.body.verdicts, strict=True)]


def _secret(one: Proposal, verdict: Verdict) -> _Kept:
    if not verdict.detail and not _has_more(one):
        return one.reason
    return _Secrets(
        one.reason, one.stop_price_e8, one.target_price_e8, one.invalidation, one.confidence_ppm, verdict.detail
    )


def _blank(run: Run, box: bytes) -> Run:
    body = run.body
    guarded = tuple(one.market for one in body.proposals if one.invalidation is not None)
    blank = msgspec.structs.replace(
        body,
        proposals=tuple(Proposal(p.market, p.action, p.side, p.share_ppm, p.leverage) for p in body.proposals),
        verdicts=tuple(Verdict(v.market, v.allowed, v.code) for v in body.verdicts),
        guarded=guarded,
    )
    return msgspec.structs.replace(run, body=blank, sealed=box)


def _with(run: Run, kept: Sequence[_Kept]) -> Run:
    """What an earlier release left in the clear stays as it is."""
    proposals, verdicts = list(run.body.proposals), list(run.body.verdicts)
    for place, secret in enumerate(kept):
        if isinstance(secret, str):
            proposals[place] = msgspec.structs.replace(proposals[place], reason=secret)
            continue
        proposals[place] = msgspec.structs.replace(
            proposals[place],
            reason=secret.reason,
            stop_price_e8=secret.stop_price_e8,
            target_price_e8=secret.target_price_e8,
            invalidation=secret.invalidation,
            confidence_ppm=secret.confidence_ppm,
        )
        verdicts[place] = msgspec.structs.replace(verdicts[place], detail=secret.detail)
    body = msgspec.structs.replace(run.body, proposals=tuple(proposals), verdicts=tuple(verdicts), guarded=())
    return msgspec.structs.replace(run, body=body)
