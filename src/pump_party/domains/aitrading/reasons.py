"""The reasons of a run, its owner's alone: sealed for its clone before they are stored, apart from what it did.

Runs of earlier releases have them in the clear in their body, and stay readable.
"""

from collections.abc import Sequence

import msgspec

from pump_party.domains.aitrading.records import Run
from pump_party.domains.clones.contract import Clones
from pump_party.kernel.ids import RunId

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[str, ...]).decode


def sealed(clones: Clones, runs: Sequence[Run]) -> Sequence[Run]:
    """The same runs without a reason in the clear. Raises NotFound, Unavailable: a key is missing."""
    telling = [run for run in runs if any(one.reason for one in run.body.proposals)]
    if not telling:
        return runs
    plain = [(run.clone_id, _name(run.run_id), _encode([one.reason for one in run.body.proposals])) for run in telling]
    shut = {
        run.run_id: msgspec.structs.replace(_with(run, [""] * len(run.body.proposals)), reasons=box)
        for run, box in zip(telling, clones.seal_artifacts(plain), strict=True)
    }
    return [shut.get(run.run_id, run) for run in runs]


def opened(clones: Clones, runs: Sequence[Run]) -> Sequence[Run]:
    """The same runs with their reasons. Raises NotFound, Unavailable: a key is missing."""
    boxes = [(run.clone_id, _name(run.run_id), run.reasons) for run in runs if run.reasons is not None]
    if not boxes:
        return runs
    plain = iter(clones.open_artifacts(boxes))
    return [run if run.reasons is None else _with(run, _decode(next(plain))) for run in runs]


def _with(run: Run, reasons: Sequence[str]) -> Run:
    proposals = tuple(
        msgspec.structs.replace(one, reason=reason) for one, reason in zip(run.body.proposals, reasons, strict=True)
    )
    return msgspec.structs.replace(run, body=msgspec.structs.replace(run.body, proposals=proposals))


def _name(run_id: RunId) -> str:
    """What they are bound to beside their clone: those of another run cannot be put in their place."""
    return f"reasons/{run_id}"
