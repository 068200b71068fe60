"""Every hostile text through every field that outside text can come in by: no action beyond policy, and no leak."""

import re
from collections.abc import Iterator

import msgspec
import pytest
from msgspec.structs import replace
from tests.domains.aitrading.answers import answer, decision, opening
from tests.domains.aitrading.injections import CANARY, HOSTILE
from tests.domains.aitrading.worlds import (
    H1,
    HOUR_MS,
    SLOT_MS,
    SOL,
    SOL_PERP,
    account,
    decider,
    plan,
    prompt_strategy,
    seen,
    snapshot,
)

from pump_party.domains.aitrading.model import Decided, Direction, PastDecision, Proposal, ProposalAction, Unusable
from pump_party.domains.aitrading.prompt import owner_text
from pump_party.domains.clones.contract import (
    Always,
    AssetNode,
    Clause,
    CloneNode,
    DataStreamNode,
    Edge,
    PromptNode,
    RuleNode,
    Strategy,
    Target,
)
from pump_party.domains.prop_interface.contract import OrderStatus, OrderTerms, OrderView, PlaceAction, Side
from pump_party.kernel.errors import Invalid
from pump_party.kernel.ids import AccountId, Market, OrderId
from pump_party.kernel.money import NOTIONAL_DIVISOR, PPM

CAP_PPM = 200_000
LEVERAGE_MAX = 3
MARKETS = (SOL, SOL_PERP)
PLAN = plan(prompt_strategy("Trade.", markets=MARKETS, max_leverage=LEVERAGE_MAX, max_position_ppm=CAP_PPM))
AT = seen(snapshot(SOL), snapshot(SOL_PERP), account=account())
HONEST = decider().questions(PLAN, AT, budget_tokens=30_000)[0]
FENCE = re.compile(r"^<<<OWNER ([0-9a-f]{16})>>>\n(.*)\n<<<END OWNER \1>>>$", re.DOTALL | re.MULTILINE)


def test_the_corpus_is_large_and_its_texts_differ():
    assert len(HOSTILE) >= 200
    assert len(set(HOSTILE)) == len(HOSTILE)
    assert all(CANARY in text for text in HOSTILE)


def conclude(proposals: tuple[Proposal, ...]) -> Decided:
    """What becomes of proposals, held against the policy of the plan."""
    decided = decider().conclude(PLAN, AT, proposals)
    equity = AT.account.equity_micros or 0
    for action in decided.actions:
        assert isinstance(action, PlaceAction)
        assert action.market in MARKETS
        leverage = 1 if action.terms is None or action.terms.leverage is None else action.terms.leverage
        mid_e8 = AT.snapshots[action.market].mid_e8
        micros = action.quote_micros or (action.quantity_nanos or 0) * mid_e8 // NOTIONAL_DIVISOR
        assert 1 <= leverage <= LEVERAGE_MAX
        assert micros <= equity * CAP_PPM * leverage // PPM
    assert CANARY.encode() not in msgspec.json.encode((decided.actions, decided.verdicts))
    assert decided.context is not None
    assert CANARY.encode() not in decided.context.body
    return decided


def test_an_owners_text_moves_nothing_outside_its_fence():
    for text in HOSTILE:
        asked = decider().questions(
            plan(prompt_strategy(text, markets=MARKETS, max_leverage=LEVERAGE_MAX, max_position_ppm=CAP_PPM)),
            AT,
            budget_tokens=30_000,
        )[0]
        fenced = FENCE.findall(asked.user)
        assert [inside for _, inside in fenced] == [owner_text(text)], text
        assert asked.user.replace(fenced[0][1], "Trade.").replace(fenced[0][0], _code(HONEST.user)) == HONEST.user, text
        assert (asked.system, asked.schema, asked.markets) == (HONEST.system, HONEST.schema, HONEST.markets)
        assert CANARY not in asked.system
        assert all(char == "\n" or char.isprintable() for char in asked.user)


def _code(user: str) -> str:
    return FENCE.findall(user)[0][0]


def test_an_answer_that_is_a_hostile_text_is_no_answer():
    for text in HOSTILE:
        for whole in (
            text,
            f"{text}\n{answer(opening(), decision(SOL_PERP))}",
            answer(opening(), decision(SOL_PERP)) + text,
        ):
            found = decider().read(HONEST, whole)
            assert isinstance(found, Unusable), text
            assert CANARY not in found.detail


def test_a_hostile_reason_changes_no_action_and_reaches_no_verdict_context_or_order():
    honest = conclude(_read(answer(opening(share="0.2"), decision(SOL_PERP))))
    assert honest.actions
    usable = 0
    for text in HOSTILE:
        found = decider().read(HONEST, answer(opening(share="0.2", reason=text), decision(SOL_PERP, reason=text)))
        if isinstance(found, Unusable):
            assert CANARY not in found.detail
            continue
        usable += 1
        decided = conclude(found)
        assert decided.actions == honest.actions
        assert decided.verdicts == honest.verdicts
    assert usable > 100


def _read(text: str) -> tuple[Proposal, ...]:
    found = decider().read(HONEST, text)
    assert isinstance(found, tuple), found
    return found


def test_a_hostile_text_in_any_other_field_of_an_answer_makes_it_unusable():
    for text in HOSTILE:
        for whole in _answers_with(text):
            found = decider().read(HONEST, whole)
            assert isinstance(found, Unusable), (text, found)
            assert CANARY not in found.detail


def _answers_with(text: str) -> Iterator[str]:
    for name in ("market", "action", "side", "share", "leverage", "stop_price", "target_price", "confidence", text):
        yield answer(opening(**{name: text}), decision(SOL_PERP))
    condition = {"feature": "price", "op": "below", "value": "1", "than": None}
    for name in ("feature", "op", "value"):
        yield answer(opening(invalidation=condition | {name: text}), decision(SOL_PERP))
    yield answer(opening(invalidation=condition | {"value": None, "than": text}), decision(SOL_PERP))
    yield answer(opening(invalidation=text), decision(SOL_PERP))


def test_the_boldest_answer_that_can_be_read_stays_within_policy():
    """A model that is fully taken over can still only say what the form lets it say."""
    for side, share, leverage, stop in [
        ("long", "1", 1000, None),
        ("short", "1", 1000, None),
        ("long", "0.2", 3, "92233720368.54775807"),
        ("short", "0.2", 3, "0.00000001"),
        ("long", "0.2", 3, None),
    ]:
        taken = {"side": side, "share": share, "leverage": leverage, "stop_price": stop}
        conclude(_read(answer(opening(**taken), opening(SOL_PERP, **taken))))


def test_a_hostile_market_of_an_outside_program_is_refused_without_a_word_of_it():
    for text in HOSTILE:
        for action in ProposalAction:
            proposal = Proposal(Market(text), action, Direction.LONG, CAP_PPM, reason=text)
            decided = decider().conclude(PLAN, AT, [proposal])
            assert decided.actions == ()
            assert decided.verdicts[0].code.value == "market_not_allowed"
            assert CANARY not in decided.verdicts[0].detail


def test_a_hostile_word_where_a_context_takes_codes_is_refused():
    past = PastDecision(SLOT_MS - HOUR_MS, SOL, ProposalAction.HOLD, None, 0, 1, None, "hold")
    for text in HOSTILE:
        for changed in (
            replace(AT, past=(replace(past, outcome=text),)),
            replace(AT, past=(replace(past, market=Market(text)),)),
            replace(AT, snapshots={SOL: replace(snapshot(SOL), market=Market(text))}),
            replace(AT, snapshots={SOL: replace(snapshot(SOL), feed=text)}),
            replace(AT, snapshots={SOL: replace(snapshot(SOL), tick_sha256=text)}),
        ):
            for see in (decider().context, _first_question):
                with pytest.raises(Invalid) as refused:
                    see(PLAN, changed)
                assert CANARY not in refused.value.detail


def _first_question(made: object, at: object) -> object:
    return decider().questions(made, at, budget_tokens=30_000)  # type: ignore[arg-type]


def test_names_ids_and_blocks_reach_neither_context_nor_prompt():
    """Whatever a clone, its blocks, its account or its orders are called: the bytes of it are absent."""
    for text in HOSTILE:
        named = _strategy_with_names(text)
        order = OrderView(
            OrderId(text),
            AccountId(text),
            text,
            SOL,
            Side.SELL,
            None,
            None,
            None,
            OrderStatus.ACCEPTED,
            None,
            SLOT_MS,
            None,
            terms=OrderTerms(reduce_only=True, parent_id=OrderId(text)),
        )
        at = replace(AT, account=replace(AT.account, account_id=AccountId(text)), orders=(order,))
        made = plan(named)
        (asked,) = decider().questions(made, at, budget_tokens=30_000)
        decided = decider().conclude(made, at, decider().rule_proposals(made, at))
        assert decided.context is not None
        assert CANARY.encode() not in decided.context.body
        assert CANARY not in asked.user + asked.system + str(asked.schema)
        assert CANARY.encode() not in msgspec.json.encode((decided.actions, decided.verdicts))


def _strategy_with_names(text: str) -> Strategy:
    """A rule for SOL, a prompt for the perpetual; every block is called by the text."""
    nodes = (
        DataStreamNode(f"1{text}", H1, 3),
        AssetNode(f"2{text}", (SOL,)),
        RuleNode(f"3{text}", (Clause(Always(), Target(100_000)),)),
        AssetNode(f"4{text}", (SOL_PERP,)),
        PromptNode(f"5{text}", "Trade."),
        CloneNode(f"6{text}", 3_600, 1, CAP_PPM, "openai:gpt"),
    )
    edges = ("12", "23", "36", "14", "45", "56")
    return Strategy("strategy/1", nodes, tuple(Edge(f"{a}{text}", f"{b}{text}") for a, b in edges))


def test_no_hostile_text_passes_for_a_recorded_context():
    written = decider().context(PLAN, AT).body
    for text in HOSTILE:
        hostile = text.encode("utf-8", "surrogatepass")
        for body in (hostile, written + hostile, written.replace(b'"context/1"', b'"' + hostile + b'"')):
            with pytest.raises(Invalid) as refused:
                decider().seen_in(body)
            assert CANARY not in refused.value.detail
