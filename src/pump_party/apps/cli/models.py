"""`pump-party models check`: ask every configured language model one small question, and say what failed and why."""

import argparse

import msgspec

from pump_party.config import Settings

EXIT_OK = 0
EXIT_FOUND = 1

DESCRIPTION = """\
Asks every model of PUMP_PARTY_MODELS one small question and prints whether it answered by a schema, how long it took
and what it cost. Whatever failed is named, with the next step. Exits with 1 when a model failed or none is offered.
Keys are never printed.
"""

NONE_OFFERED = (
    "no model is offered: set PUMP_PARTY_MODELS, such as openai:gpt-5.2 or ollama:qwen3, and its key in "
    "PUMP_PARTY_MODEL_KEYS or its URL in PUMP_PARTY_MODEL_URLS"
)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    models = commands.add_parser("models", help="try the language models that strategies may name")
    actions = models.add_subparsers(dest="models_command", required=True, metavar="COMMAND")
    check = actions.add_parser(
        "check",
        help="ask each one small question; exit 1 when one fails",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("--json", action="store_true", help="print JSON")


def run(settings: Settings, *, as_json: bool) -> int:
    """0 when every model answered."""
    from pump_party.bootstrap.models import check_models

    checks = check_models(settings) if settings.models else []
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(checks), indent=2).decode())
    elif not checks:
        print(NONE_OFFERED)
    for check in [] if as_json else checks:
        cost = "price not known" if check.cost_micros is None else f"{check.cost_micros} micro-USD"
        said = f"answered in {check.latency_ms} ms, {cost}" if check.answered else f"FAILED {check.failure}"
        print(f"{check.model}  {said}")
        if not check.answered:
            print(f"  {check.detail}\n  next: {check.next_step}")
    return EXIT_OK if checks and all(check.answered for check in checks) else EXIT_FOUND
