"""Clones that trade: deployments, what they decided and why, deciding without trading, and programs that decide."""

from functools import partial
from typing import Any

from litestar import get, post
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody
from litestar.types import Scope

from pump_party.apps.api.auth import Access, viewer_of
from pump_party.apps.api.calls import Call, call_of
from pump_party.apps.api.codec import ApiResponse, Document, refuse_body
from pump_party.apps.api.parameters import PAGE_DEFAULT, ArtifactName, Cursor, PageLimit, PathText, access, checked_id
from pump_party.apps.api.schemas.decisions import (
    NOTHING,
    CloneEquity,
    CloneFillPage,
    CloneUsage,
    DecisionPage,
    DeploymentBody,
    DryRunBody,
    DryRunResult,
    OfferedModels,
    ReplayBody,
    ReplayResult,
    render_clone_equity,
    render_clone_fills,
    render_clone_usage,
    render_dry_run,
    render_page,
    render_replay,
)
from pump_party.apps.api.schemas.deployments import (
    Deployment,
    PublicDeployment,
    render_deployment,
    render_own_deployment,
)
from pump_party.apps.api.schemas.prop import Account, render_account
from pump_party.apps.api.schemas.proposals import ActionsBody, OutsideDecision, parse_proposal, render_outside
from pump_party.apps.decision_wire import Decision, OwnDecision, render_run
from pump_party.domains.aitrading.contract import (
    DeployClone,
    DeploymentView,
    DryRun,
    Replay,
    SubmitProposals,
)
from pump_party.domains.clones.contract import InvalidStrategy, Strategy
from pump_party.kernel.ids import AccountId, CloneId, Market, RunId, UserId


@post("/v1/clones/{clone_id:str}/deployment", opt=access(Access.TRADE, idempotent=True), tags=["decisions"])
async def deploy_clone(scope: Scope, clone_id: PathText, data: JSONBody[DeploymentBody]) -> Deployment:
    """Open an account for the clone and let its newest version trade it from the next slot."""
    call = call_of(scope)
    clone = CloneId(checked_id(clone_id, "clone"))
    command = DeployClone(call.user_id(), clone, call.idempotency_key(), data.rule_set)
    return render_own_deployment(await call.run(call.services.aitrading.deploy, command))


@get("/v1/clones/{clone_id:str}/deployment", opt=access(Access.PUBLIC), tags=["decisions"])
async def read_deployment(scope: Scope, clone_id: PathText) -> Deployment | PublicDeployment:
    """Whether the clone trades. Its owner sees the account, too."""
    call = call_of(scope)
    clone_id = checked_id(clone_id, "clone")
    viewer = viewer_of(call, clone_id)
    return render_deployment(await call.run(call.services.aitrading.deployment, clone_id, viewer=viewer))


@post("/v1/clones/{clone_id:str}/deployment/pause", status_code=200, opt=access(Access.TRADE), tags=["decisions"])
async def pause_clone(scope: Scope, clone_id: PathText) -> Deployment:
    """Decide no more until resumed. Orders and exits that wait stay."""
    call = call_of(scope)
    refuse_body(call.body)
    clone_id = checked_id(clone_id, "clone")
    return render_own_deployment(await call.run(call.services.aitrading.pause, call.user_id(), clone_id))


@post("/v1/clones/{clone_id:str}/deployment/resume", status_code=200, opt=access(Access.TRADE), tags=["decisions"])
async def resume_clone(scope: Scope, clone_id: PathText) -> Deployment:
    """Go on with the next slot and the newest version."""
    call = call_of(scope)
    refuse_body(call.body)
    clone_id = checked_id(clone_id, "clone")
    return render_own_deployment(await call.run(call.services.aitrading.resume, call.user_id(), clone_id))


@post("/v1/clones/{clone_id:str}/deployment/stop", status_code=200, opt=access(Access.TRADE), tags=["decisions"])
async def stop_clone(scope: Scope, clone_id: PathText) -> Deployment:
    """End the deployment for good. What it holds stays with the account."""
    call = call_of(scope)
    refuse_body(call.body)
    clone_id = checked_id(clone_id, "clone")
    return render_own_deployment(await call.run(call.services.aitrading.stop, call.user_id(), clone_id))


@get("/v1/clones/{clone_id:str}/account", opt=access(Access.ACT), tags=["decisions"])
async def read_clone_account(scope: Scope, clone_id: PathText) -> Account:
    """The account that your clone trades."""
    call = call_of(scope)
    clone_id = checked_id(clone_id, "clone")
    deployment = await _deployment_of(call, clone_id)
    return render_account(await call.run(call.services.prop.account, call.user_id(), deployment.account_id))


@post("/v1/clones/{clone_id:str}/actions", opt=access(Access.ACT), tags=["decisions"])
async def submit_actions(scope: Scope, clone_id: PathText, data: JSONBody[ActionsBody]) -> OutsideDecision:
    """Decide for a clone of yours that runs, through the same gates, limits and evidence as its own decisions.

    A refused proposal is an outcome, not an error: see its `code`. Sending a `run_key` again returns the first outcome.
    """
    call = call_of(scope)
    proposals = tuple([parse_proposal(one, f"proposals[{place}]") for place, one in enumerate(data.proposals)])
    clone = CloneId(checked_id(clone_id, "clone"))
    command = SubmitProposals(call.user_id(), clone, data.run_key, proposals)
    return render_outside(await call.run(call.services.aitrading.submit_actions, command))


@get("/v1/clones/{clone_id:str}/equity", opt=access(Access.PUBLIC), tags=["decisions"])
async def read_clone_equity(scope: Scope, clone_id: PathText) -> CloneEquity:
    """How the clone's account has gone, beside holding its market."""
    call = call_of(scope)
    clone_id = checked_id(clone_id, "clone")
    owner, account_id = await _account_of(call, clone_id)
    results = await call.run(call.services.prop.results, owner, account_id)
    return render_clone_equity(CloneId(clone_id), results)


@get("/v1/clones/{clone_id:str}/fills", opt=access(Access.PUBLIC), tags=["decisions"])
async def list_clone_fills(
    scope: Scope, clone_id: PathText, cursor: Cursor = None, limit: PageLimit = PAGE_DEFAULT
) -> CloneFillPage:
    """What the clone's account traded. Which account and orders these are, only its owner can look up."""
    call = call_of(scope)
    owner, account_id = await _account_of(call, checked_id(clone_id, "clone"))
    page = await call.run(call.services.prop.fills, owner, account_id, cursor=cursor, limit=limit)
    return render_clone_fills(page)


# --- what was decided ---------------------------------------------------------------------------


@get("/v1/clones/{clone_id:str}/decisions", opt=access(Access.PUBLIC), tags=["decisions"])
async def list_decisions(
    scope: Scope, clone_id: PathText, cursor: Cursor = None, limit: PageLimit = PAGE_DEFAULT
) -> DecisionPage:
    """What the clone decided. Its owner sees reasons and evidence, too."""
    call = call_of(scope)
    clone_id = checked_id(clone_id, "clone")
    listing = partial(call.services.aitrading.decisions, viewer=viewer_of(call, clone_id))
    return render_page(await call.run(listing, clone_id, cursor=cursor, limit=limit))


@get("/v1/decisions/{run_id:str}", opt=access(Access.PUBLIC), tags=["decisions"])
async def read_decision(scope: Scope, run_id: PathText) -> Decision | OwnDecision:
    """One decision. Its owner sees reasons and evidence, too."""
    call = call_of(scope)
    run_id = checked_id(run_id, "run")
    view = await call.run(call.services.aitrading.decision, run_id, viewer=None)
    viewer = viewer_of(call, view.clone_id)
    return render_run(
        view if viewer is None else await call.run(call.services.aitrading.decision, run_id, viewer=viewer)
    )


@get(
    "/v1/decisions/{run_id:str}/artifacts/{kind:str}",
    opt=access(Access.SESSION),
    tags=["decisions"],
    responses={200: ResponseSpec(Any, generate_examples=False, description="JSON")},
)
async def read_artifact(scope: Scope, run_id: PathText, kind: ArtifactName) -> ApiResponse:
    """What a decision saw, asked and was answered: the bytes that the hash in the decision is of."""
    call = call_of(scope)
    run_id = checked_id(run_id, "run")
    artifact = await call.run(call.services.aitrading.artifact, call.user_id(), run_id, kind)
    return ApiResponse(Document(body=artifact.body, content_type=b"application/json"))


@get("/v1/models", opt=access(Access.PUBLIC), tags=["decisions"])
async def list_models(scope: Scope) -> OfferedModels:
    """The language models that strategies and replays may name here. None are offered until some are configured."""
    return OfferedModels(list(call_of(scope).services.aitrading.models()))


@get("/v1/clones/{clone_id:str}/usage", opt=access(Access.READ), tags=["decisions"])
async def read_usage(scope: Scope, clone_id: PathText) -> CloneUsage:
    """What a clone of yours has spent on models today."""
    call = call_of(scope)
    clone_id = checked_id(clone_id, "clone")
    return render_clone_usage(await call.run(call.services.aitrading.usage, call.user_id(), clone_id))


# --- deciding without trading -------------------------------------------------------------------


@post("/v1/clones/{clone_id:str}/dry-runs", status_code=200, opt=access(Access.SESSION), tags=["decisions"])
async def dry_run(scope: Scope, clone_id: PathText, data: JSONBody[DryRunBody]) -> DryRunResult:
    """Decide once about one market and trade nothing. A model is really asked, within your budget.

    At most four dry runs and replays of a user at a time: 429 `too_many_dry_runs` says when to come back.
    """
    call = call_of(scope)
    clone = CloneId(checked_id(clone_id, "clone"))
    strategy = None if data.strategy == NOTHING else await _valid(call, bytes(data.strategy))
    command = DryRun(call.user_id(), clone, Market(data.market), strategy)
    return render_dry_run(await call.run_dry(call.services.aitrading.dry_run, command))


@post("/v1/decisions/{run_id:str}/replays", status_code=200, opt=access(Access.SESSION), tags=["decisions"])
async def replay_decision(scope: Scope, run_id: PathText, data: JSONBody[ReplayBody]) -> ReplayResult:
    """Decide a recorded context again, with another model, prompt or rule. Changes nothing. Limited like dry runs."""
    call = call_of(scope)
    command = Replay(call.user_id(), RunId(checked_id(run_id, "run")), data.model, data.prompt, data.rule)
    return render_replay(await call.run_dry(call.services.aitrading.replay, command))


async def _valid(call: Call, strategy: bytes) -> Strategy:
    validation = await call.run(call.services.clones.validate, strategy)
    if validation.strategy is None:
        raise InvalidStrategy(validation.problems)
    return validation.strategy


async def _account_of(call: Call, clone_id: str) -> tuple[UserId, AccountId]:
    """Whose account the clone trades or last traded, and which. Not to be shown. Raises NotFound."""
    owner = await call.run(call.services.clones.owner_of, clone_id)
    deployment = await call.run(call.services.aitrading.deployment, clone_id, viewer=owner)
    assert isinstance(deployment, DeploymentView)
    return owner, deployment.account_id


async def _deployment_of(call: Call, clone_id: str) -> DeploymentView:
    """The newest deployment of a clone of theirs. Raises NotFound."""
    await call.run(call.services.clones.owner_clone, call.user_id(), clone_id)
    view = await call.run(call.services.aitrading.deployment, clone_id, viewer=call.user_id())
    assert isinstance(view, DeploymentView)
    return view
