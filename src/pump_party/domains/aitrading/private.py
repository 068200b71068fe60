"""What is private of a run, its owner's alone: sealed for its clone in one box before it is stored.

Of a proposal these are reason, exits, condition and confidence, of a verdict the limits it tells. A condition in force
lies in the box of the run that brought it. Runs of earlier releases have some of it in the clear, and stay readable.
"""

from collections.abc import Mapping, Sequence

import msgspec

from pump_party.domains.aitrading.model import Invalidation, OpenInvalidation, Proposal, Verdict
from pump_party.domains.aitrading.records import Deployment, HeldCondition, Run
from pump_party.domains.aitrading.unreadable import sift
from pump_party.domains.clones.contract import Clones, Unreadable
from pump_party.kernel.errors import Refusal
from pump_party.kernel.ids import CloneId, Market

Opened = Mapping[tuple[CloneId, HeldCondition], OpenInvalidation]
"""Conditions that were opened, each by its clone and its place in a box."""

NOTHING_OPENED: Opened = {}


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
    """The same runs with nothing private in the clear. Raises as `Clones.seal_artifacts`."""
    telling = [run for run in runs if tells(run)]
    if not telling:
        return runs
    whole = opened(clones, telling)
    plain = [(run.clone_id, run.box_name, _encode(_secrets(run))) for run in whole]
    boxes = clones.seal_artifacts(plain)
    shut = {run.run_id: _blank(run, box, guarded=_guarded(run)) for run, box in zip(whole, boxes, strict=True)}
    return [shut.get(run.run_id, run) for run in runs]


def opened(clones: Clones, runs: Sequence[Run]) -> Sequence[Run]:
    """The same runs with what is private of them. Raises as `Clones.open_artifacts`."""
    boxes = [(run.clone_id, run.box_name, run.sealed) for run in runs if run.sealed is not None]
    if not boxes:
        return runs
    plain = iter(clones.open_artifacts(boxes))
    return [run if run.sealed is None else _with(run, _read(next(plain))) for run in runs]


def opened_each(clones: Clones, runs: Sequence[Run]) -> list[Run | Refusal]:
    """The same where one that cannot be opened takes nothing from the others. Raises Unavailable: none can be."""
    return sift(runs, lambda some: opened(clones, some))


def bare(run: Run) -> Run:
    """The same run without what is private of it, for one that cannot be sealed."""
    return _blank(run, run.sealed, guarded=())


def conditions_of(clones: Clones, deployments: Sequence[Deployment], known: Opened = NOTHING_OPENED) -> Opened:
    """The conditions in force of all of them; boxes of `known` ones stay shut.

    One that cannot be opened is absent, and takes nothing from the others. Raises Unavailable: none can be opened.
    """
    found: dict[tuple[CloneId, HeldCondition], OpenInvalidation] = {}
    shut: list[tuple[CloneId, HeldCondition]] = []
    for deployment in deployments:
        for held in deployment.conditions:
            one = deployment.clone_id, held
            if held.condition is not None:
                found[one] = OpenInvalidation(held.market, held.condition)
            elif one in known:
                found[one] = known[one]
            else:
                shut.append(one)
    boxes = list(dict.fromkeys((clone_id, held.box_name, held.box) for clone_id, held in shut))
    plain = dict(zip(boxes, sift(boxes, clones.open_artifacts), strict=True))
    for clone_id, held in shut:
        condition = _condition_in(plain[clone_id, held.box_name, held.box], held.place)
        if condition is not None:
            found[clone_id, held] = OpenInvalidation(held.market, condition)
    return found


def readable(deployment: Deployment, opened: Opened) -> tuple[OpenInvalidation, ...]:
    """Its conditions that could be opened, in their order."""
    found = [opened.get((deployment.clone_id, held)) for held in deployment.conditions]
    return tuple([one for one in found if one is not None])


def unreadable(deployment: Deployment, opened: Opened) -> tuple[Market, ...]:
    """Where it has a condition that could not be."""
    return tuple([held.market for held in deployment.conditions if (deployment.clone_id, held) not in opened])


def _condition_in(box: bytes | Refusal, place: int) -> Invalidation | None:
    if isinstance(box, Refusal):
        return None
    try:
        kept = _read(box)[place]
    except (Unreadable, IndexError):
        return None
    return kept.invalidation if isinstance(kept, _Secrets) else None


def _read(box: bytes) -> tuple[_Kept, ...]:
    """Raises Unreadable for what a later release may have put into it."""
    try:
        return _decode(box)
    except msgspec.DecodeError as error:
        raise Unreadable("what is private of a decision is in a form that this release does not know") from error


def sealed_conditions(clones: Clones, deployment: Deployment) -> Mapping[HeldCondition, HeldCondition]:
    """Those of an earlier release, which lie in the clear, and the same sealed. Raises as `Clones.seal_artifacts`."""
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


def _guarded(run: Run) -> tuple[Market, ...]:
    return tuple(one.market for one in run.body.proposals if one.invalidation is not None)


def _blank(run: Run, box: bytes | None, *, guarded: tuple[Market, ...]) -> Run:
    body = run.body
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
