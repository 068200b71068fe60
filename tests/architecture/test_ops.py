"""What operators start by hand or by compose exists: commands, workers, settings."""

import re
from pathlib import Path

from tests.architecture.sources import read, text_files

from pump_party.apps.cli.main import build_parser
from pump_party.apps.workers import WORKER_NAMES
from pump_party.config import RULES

COMPOSE = Path("ops/compose.yml")
COMMAND = re.compile(r"^    command: \[(api|ws|worker)(?:, (\w+))?\]$", re.MULTILINE)
SETTING = re.compile(r"\bPUMP_PARTY_([A-Z0-9_]+)\b")


def test_compose_runs_every_part_of_the_product_once():
    parts = [worker or command for command, worker in COMMAND.findall(read(COMPOSE))]
    assert sorted(parts) == sorted(["api", "ws", *WORKER_NAMES])
    for command, worker in COMMAND.findall(read(COMPOSE)):
        build_parser(with_tape=False).parse_args([word for word in (command, worker) if word])


def test_every_setting_that_a_file_names_exists():
    files = [path for path in text_files() if path.suffix in {".md", ".yml"} or path.name in {"Makefile", "Dockerfile"}]
    named = {(str(path), name) for path in files for name in SETTING.findall(read(path))}
    unknown = {
        (path, name)
        for path, name in named
        if name.lower() not in RULES and name != "CONFIG" and not name.startswith("TEST_")
    }
    assert unknown == set()


def test_every_metric_that_a_document_names_exists():
    declared = set(re.findall(r'"(pump_party_[a-z_]+)"', read(Path("src/pump_party/platform/metrics.py"))))
    documents = [path for path in text_files() if path.suffix == ".md" and path.parts[0] == "docs"]
    named = {name for path in documents for name in re.findall(r"`(pump_party_[a-z_]+)`", read(path))}
    assert named - declared == set()
