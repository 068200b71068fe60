"""Clones: who they are, for everybody; their drafts and versions, for the owner alone."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import get, patch, post, put
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody
from litestar.types import Scope

from pump_party.apps.api.auth import Access
from pump_party.apps.api.calls import Call, call_of
from pump_party.apps.api.codec import ApiResponse, Document, refuse_body
from pump_party.apps.api.parameters import (
    PAGE_DEFAULT,
    AvatarMood,
    Cursor,
    DirectoryLimit,
    PathNumber,
    PathText,
    access,
    checked_id,
)
from pump_party.apps.api.schemas.clones import (
    Clone,
    CloneBody,
    CloneDirectory,
    Commitment,
    Commitments,
    Draft,
    DraftBody,
    HouseStrategies,
    OwnClone,
    OwnClones,
    ProfileBody,
    ReportBody,
    RestoreBody,
    RevealedVersion,
    StrategyBody,
    StrategyProblems,
    Version,
    VersionBody,
    VersionItems,
    render_clone,
    render_commitment,
    render_directory,
    render_draft,
    render_house,
    render_own,
    render_revealed,
    render_summary,
    render_validation,
    render_version,
)
from pump_party.domains.clones.contract import Mood, OwnerClone, Publish, SaveDraft, StrategyDiff, json_schema

SVG = "image/svg+xml"


@post("/v1/clones", opt=access(Access.SESSION, idempotent=True), tags=["clones"])
async def create_clone(scope: Scope, data: JSONBody[CloneBody]) -> OwnClone:
    """A clone with a public name and no strategy yet."""
    call = call_of(scope)
    creating = call.services.clones.create_clone
    key = call.idempotency_key()
    view = await call.run(creating, call.user_id(), name=data.name, bio=data.bio, idempotency_key=key)
    return (await _own(call, [view]))[0]


@get("/v1/clones", opt=access(Access.READ), tags=["clones"])
async def list_clones(scope: Scope) -> OwnClones:
    """Your clones, newest first."""
    call = call_of(scope)
    return OwnClones(await _own(call, await call.run(call.services.clones.my_clones, call.user_id())))


@get("/v1/clones/directory", opt=access(Access.PUBLIC), tags=["clones"])
async def list_directory(scope: Scope, cursor: Cursor = None, limit: DirectoryLimit = PAGE_DEFAULT) -> CloneDirectory:
    """Everybody's clones that have a published version."""
    call = call_of(scope)
    found = await call.run(call.services.clones.directory, cursor=cursor, limit=limit)
    return render_directory(
        found, await call.run(call.services.aitrading.deployments, [c.clone_id for c in found.clones])
    )


@get("/v1/clones/{clone_id:str}", opt=access(Access.PUBLIC), tags=["clones"])
async def read_clone(scope: Scope, clone_id: PathText) -> Clone:
    """A clone as everybody sees it."""
    call = call_of(scope)
    view = await call.run(call.services.clones.public_clone, checked_id(clone_id, "clone"))
    trading = await call.run(call.services.aitrading.deployments, [view.clone_id])
    return render_clone(view, trading.get(view.clone_id))


@get("/v1/clones/{clone_id:str}/private", opt=access(Access.READ), tags=["clones"])
async def read_own_clone(scope: Scope, clone_id: PathText) -> OwnClone:
    """A clone of yours."""
    call = call_of(scope)
    clone_id = checked_id(clone_id, "clone")
    view = await call.run(call.services.clones.owner_clone, call.user_id(), clone_id)
    return (await _own(call, [view]))[0]


@patch("/v1/clones/{clone_id:str}", opt=access(Access.SESSION), tags=["clones"])
async def change_clone(scope: Scope, clone_id: PathText, data: JSONBody[ProfileBody]) -> OwnClone:
    """Another name or bio."""
    call = call_of(scope)
    clone_id = checked_id(clone_id, "clone")
    changing = call.services.clones.set_profile
    view = await call.run(changing, call.user_id(), clone_id, name=data.name, bio=data.bio)
    return (await _own(call, [view]))[0]


@get(
    "/v1/clones/{clone_id:str}/avatar.svg",
    opt=access(Access.PUBLIC),
    tags=["clones"],
    responses={200: ResponseSpec(str, media_type=SVG, generate_examples=False, description="A square picture")},
)
async def read_avatar(scope: Scope, clone_id: PathText, mood: AvatarMood = Mood.CALM) -> ApiResponse:
    """The face of a clone, the same for ever."""
    call = call_of(scope)
    drawn = await call.run(call.services.clones.avatar, checked_id(clone_id, "clone"), mood)
    return ApiResponse(Document(body=drawn.encode(), content_type=SVG.encode()))


@post("/v1/clones/{clone_id:str}/reports", status_code=204, opt=access(Access.SESSION), tags=["clones"])
async def report_clone(scope: Scope, clone_id: PathText, data: JSONBody[ReportBody]) -> None:
    """Ask for a look at a name or bio. A second report of yours replaces the first."""
    call = call_of(scope)
    clone_id = checked_id(clone_id, "clone")
    await call.run(call.services.clones.report, call.user_id(), clone_id, reason=data.reason)


# --- strategies ---------------------------------------------------------------------------------


@get(
    "/v1/strategies/schema",
    opt=access(Access.PUBLIC),
    tags=["strategies"],
    responses={200: ResponseSpec(dict[str, Any], generate_examples=False, description="JSON Schema 2020-12")},
)
async def read_strategy_schema(scope: Scope) -> ApiResponse:  # noqa: ARG001 - routes take the scope
    """The JSON Schema of a strategy. Validation knows more: units, paths, markets."""
    return ApiResponse(Document(body=msgspec.json.encode(json_schema()), content_type=b"application/json"))


@get("/v1/strategies/house", opt=access(Access.PUBLIC), tags=["strategies"])
async def list_house_strategies(scope: Scope) -> HouseStrategies:
    """Strategies that ship with the product, as examples and baselines."""
    return render_house(call_of(scope).services.clones.house_strategies())


@post("/v1/strategies/validate", status_code=200, opt=access(Access.SESSION), tags=["strategies"])
async def validate_strategy(scope: Scope, data: JSONBody[StrategyBody]) -> StrategyProblems:
    """Every problem of a strategy, with its place. Keeps nothing."""
    call = call_of(scope)
    return render_validation(await call.run(call.services.clones.validate, bytes(data.strategy)))


@get("/v1/clones/{clone_id:str}/draft", opt=access(Access.SESSION), tags=["strategies"])
async def read_draft(scope: Scope, clone_id: PathText) -> Draft:
    call = call_of(scope)
    clone_id = checked_id(clone_id, "clone")
    return render_draft(await call.run(call.services.clones.read_draft, call.user_id(), clone_id))


@put("/v1/clones/{clone_id:str}/draft", opt=access(Access.SESSION), tags=["strategies"])
async def save_draft(scope: Scope, clone_id: PathText, data: JSONBody[DraftBody]) -> Draft:
    """Keep work in progress, finished or not. 409 `draft_conflict` when it was saved elsewhere since it was read."""
    call = call_of(scope)
    command = SaveDraft(
        user_id=call.user_id(),
        clone_id=checked_id(clone_id, "clone"),
        strategy=bytes(data.strategy),
        layout=data.layout,
        base_version=data.base_version,
        revision=data.revision,
    )
    return render_draft(await call.run(call.services.clones.save_draft, command))


@post("/v1/clones/{clone_id:str}/versions", opt=access(Access.SESSION, idempotent=True), tags=["strategies"])
async def publish_version(scope: Scope, clone_id: PathText, data: JSONBody[VersionBody]) -> Version:
    """Make a version that never changes. 422 `invalid_strategy` carries all `problems`.

    409 `version_conflict` carries `current`, the newest version, and `diff`, what yours would change of it.
    """
    call = call_of(scope)
    command = Publish(
        user_id=call.user_id(),
        clone_id=checked_id(clone_id, "clone"),
        strategy=bytes(data.strategy),
        layout=data.layout,
        base_version=data.base_version,
        idempotency_key=call.idempotency_key(),
    )
    published = await call.run(call.services.clones.publish, command)
    call.services.outbox.notify()
    return render_version(published)


@get("/v1/clones/{clone_id:str}/versions", opt=access(Access.SESSION), tags=["strategies"])
async def list_versions(scope: Scope, clone_id: PathText) -> VersionItems:
    call = call_of(scope)
    clone_id = checked_id(clone_id, "clone")
    views = await call.run(call.services.clones.versions, call.user_id(), clone_id)
    return VersionItems([render_summary(view) for view in views])


@get("/v1/clones/{clone_id:str}/versions/{number:int}", opt=access(Access.SESSION), tags=["strategies"])
async def read_version(scope: Scope, clone_id: PathText, number: PathNumber) -> Version:
    call = call_of(scope)
    clone_id = checked_id(clone_id, "clone")
    return render_version(await call.run(call.services.clones.version, call.user_id(), clone_id, number))


@get(
    "/v1/clones/{clone_id:str}/versions/{number:int}/diff/{other:int}",
    opt=access(Access.SESSION),
    tags=["strategies"],
)
async def read_diff(scope: Scope, clone_id: PathText, number: PathNumber, other: PathNumber) -> StrategyDiff:
    """What turns the first version into the second."""
    call = call_of(scope)
    clone_id = checked_id(clone_id, "clone")
    return await call.run(call.services.clones.diff, call.user_id(), clone_id, number, other)


@post(
    "/v1/clones/{clone_id:str}/versions/{number:int}/restore",
    status_code=200,
    opt=access(Access.SESSION),
    tags=["strategies"],
)
async def restore_version(scope: Scope, clone_id: PathText, number: PathNumber, data: JSONBody[RestoreBody]) -> Draft:
    """Make an older version the draft."""
    call = call_of(scope)
    clone_id = checked_id(clone_id, "clone")
    restoring = call.services.clones.restore
    return render_draft(await call.run(restoring, call.user_id(), clone_id, number, revision=data.revision))


@post(
    "/v1/clones/{clone_id:str}/versions/{number:int}/reveal",
    status_code=200,
    opt=access(Access.SESSION),
    tags=["strategies"],
)
async def reveal_version(scope: Scope, clone_id: PathText, number: PathNumber) -> Commitment:
    """Show a version's strategy to everybody, for good."""
    call = call_of(scope)
    refuse_body(call.body)
    clone_id = checked_id(clone_id, "clone")
    return render_commitment(await call.run(call.services.clones.reveal, call.user_id(), clone_id, number))


@get("/v1/clones/{clone_id:str}/commitments", opt=access(Access.PUBLIC), tags=["clones"])
async def list_commitments(scope: Scope, clone_id: PathText) -> Commitments:
    """What fixes every version of a clone without telling it."""
    call = call_of(scope)
    views = await call.run(call.services.clones.public_versions, checked_id(clone_id, "clone"))
    return Commitments([render_commitment(view) for view in views])


@get("/v1/clones/{clone_id:str}/commitments/{number:int}/revealed", opt=access(Access.PUBLIC), tags=["clones"])
async def read_revealed(scope: Scope, clone_id: PathText, number: PathNumber) -> RevealedVersion:
    """A strategy that its owner chose to show."""
    call = call_of(scope)
    clone_id = checked_id(clone_id, "clone")
    return render_revealed(await call.run(call.services.clones.revealed, clone_id, number))


async def _own(call: Call, views: Sequence[OwnerClone]) -> list[OwnClone]:
    """Clones of theirs, each with its newest deployment."""
    trading = await call.run(call.services.aitrading.own_deployments, call.user_id(), [v.clone_id for v in views])
    return [render_own(view, trading.get(view.clone_id)) for view in views]
