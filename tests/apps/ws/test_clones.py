"""The channel of a clone: its owner is told why, everybody else what, and nobody misses a decision."""

from typing import Any

import msgspec
import pytest
from tests.apps.ws.stage import SOL, Stage, User, run
from tests.domains.clones.strategies import rule, sound, target

from pump_party.bootstrap.services import Services
from pump_party.domains.aitrading.contract import DeployClone, Direction, Proposal, ProposalAction, SubmitProposals
from pump_party.domains.clones.contract import Publish
from pump_party.domains.users.contract import Scope
from pump_party.kernel.ids import CloneId

STRATEGY = msgspec.json.encode(sound(decider=rule({"when": {"kind": "always"}, "then": target(100_000)})))
REASON = "only-the-owner-reads-this"


def deployed(services: Services, user: User, name: str = "Night Owl") -> CloneId:
    owner = user.principal.user_id
    clone = services.clones.create_clone(owner, name=name, bio="", idempotency_key=name)
    publish = Publish(
        user_id=owner,
        clone_id=clone.clone_id,
        strategy=STRATEGY,
        layout={},
        base_version=None,
        idempotency_key=name,
    )
    services.clones.publish(publish)
    services.aitrading.deploy(DeployClone(owner, clone.clone_id, "deploy"))
    return clone.clone_id


def decide(services: Services, user: User, clone_id: CloneId, run_key: str) -> None:
    opening = Proposal(SOL, ProposalAction.OPEN, Direction.LONG, 100_000, reason=REASON)
    services.aitrading.submit_actions(SubmitProposals(user.principal.user_id, clone_id, run_key, (opening,)))


def is_decision(frame: dict[str, Any]) -> bool:
    return frame["type"] == "clone_decision"


async def follow(client: Any, clone_id: str, **more: Any) -> Any:
    return await client.ask(type="subscribe", channel="clone", clone_id=clone_id, **more)


def test_the_owner_is_told_the_evidence_everybody_else_what_was_done_and_nobody_a_reason(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        owner, stranger = stage.user(1), stage.user(2)
        await stage.price()
        clone_id = deployed(services, owner)
        watching, looking = await stage.signed_in(owner), await stage.signed_in(stranger)
        assert (await follow(watching, clone_id))["clone_id"] == clone_id
        await follow(looking, clone_id)
        decide(services, owner, clone_id, "first")
        own, seen = await watching.until(is_decision), await looking.until(is_decision)
        assert (own["decision"]["decisions"][0]["reason"], REASON in str(own)) == ("", False)
        assert own["decision"]["context_sha256"] is not None
        assert (own["seq"], own["decision"]["form"]) == (seen["seq"], "owner")
        assert (seen["decision"]["form"], REASON in str(seen)) == ("public", False)

    run(services, scenario)


def test_a_follower_that_comes_back_is_shown_what_it_missed(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        owner = stage.user(1)
        await stage.price()
        clone_id = deployed(services, owner)
        for key in ("first", "second"):
            decide(services, owner, clone_id, key)
        client = await stage.signed_in(stage.user(2))
        newest = (await follow(client, clone_id, after_seq=0))["seq"]
        await client.until(lambda frame: frame.get("seq") == newest and frame["type"] == "clone_decision")
        shown = client.of("clone_published", "clone_deployment", "clone_decision")
        kinds = ["clone_published", "clone_deployment", "clone_decision", "clone_decision"]
        assert [frame["type"] for frame in shown] == kinds
        assert [frame["seq"] for frame in shown] == [1, 2, 3, 4]
        ahead = await follow(client, clone_id, after_seq=newest + 1)
        assert ahead["code"] == "seq_ahead"

    run(services, scenario)


def test_whoever_follows_a_clone_is_told_when_it_is_deployed_paused_resumed_and_stopped(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        owner, user_id = stage.user(1), stage.user(1).principal.user_id
        clone_id = deployed(services, owner)
        watching, looking = await stage.signed_in(owner), await stage.signed_in(stage.user(2))
        for client in (watching, looking):
            await follow(client, clone_id, after_seq=1)
        trading = services.aitrading
        trading.pause(user_id, clone_id)
        trading.resume(user_id, clone_id)
        trading.stop(user_id, clone_id)
        trading.stop(user_id, clone_id)
        trading.deploy(DeployClone(user_id, clone_id, "again"))
        for client in (watching, looking):
            await client.until(lambda frame: frame.get("seq") == 6 and frame["type"] == "clone_deployment")
        own, seen = watching.of("clone_deployment"), looking.of("clone_deployment")
        assert [frame["seq"] for frame in seen] == [2, 3, 4, 5, 6]
        assert [frame["state"] for frame in seen] == ["running", "paused", "running", "stopped", "running"]
        assert set(seen[0]) == {"type", "clone_id", "seq", "state", "version", "cadence_s", "at_ms"}
        account_id = trading.accounts([clone_id])[clone_id]
        assert own[-1] == seen[-1] | {"account_id": account_id}
        assert own[0]["account_id"] != account_id

    run(services, scenario)


@pytest.mark.parametrize(("named", "form"), [("own", "owner"), ("other", "public")])
def test_a_key_for_one_clone_is_told_why_of_that_one_only(services: Services, named: str, form: str) -> None:
    async def scenario(stage: Stage) -> None:
        owner = stage.user(1)
        await stage.price()
        clones = {"own": deployed(services, owner), "other": deployed(services, owner, "Early Bird")}
        made = services.users.create_api_key(
            owner.principal, name="brain", scopes=[Scope.ACT], idempotency_key="brain", clone_id=clones["own"]
        )
        program = await stage.connect()
        key = services.users.authenticate_api_key(made.key)
        ticket = (await services.tickets.issue(msgspec.json.encode(key)))[0]
        await program.ask(type="authenticate", ticket=ticket)
        refused = await program.ask(type="subscribe", channel="account", account_id=owner.account_id)
        assert refused["code"] == "scope_missing"
        await follow(program, clones[named])
        decide(services, owner, clones[named], "first")
        assert (await program.until(is_decision))["decision"]["form"] == form

    run(services, scenario)


def test_a_name_that_was_hidden_since_is_not_told_again(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        owner = stage.user(1)
        clone_id = deployed(services, owner)
        services.clones.set_profile(owner.principal.user_id, clone_id, name="Rude Words", bio="Worse words.")
        services.clones.hide(clone_id, operator="alice", reason="rude")
        client = await stage.signed_in(stage.user(2))
        newest = (await follow(client, clone_id, after_seq=0))["seq"]
        await client.until(lambda frame: frame.get("seq") == newest and frame["type"] == "clone_profile")
        assert "ords" not in str(client.frames)

    run(services, scenario)


def test_a_clone_that_does_not_exist_cannot_be_followed(services: Services) -> None:
    async def scenario(stage: Stage) -> None:
        client = await stage.signed_in(stage.user())
        assert (await follow(client, "0" * 36))["code"] == "clone_not_found"
        missing = await client.ask(type="subscribe", channel="clone")
        assert (missing["code"], missing["field"]) == ("missing_field", "clone_id")

    run(services, scenario)
