"""The set-up script: which Node will do, what uv is told of pip's index, when a step is done again."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.architecture.sources import ROOT


@pytest.fixture
def setup() -> ModuleType:
    spec = importlib.util.spec_from_file_location("setup_script", ROOT / "scripts" / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("version", "will_do"),
    [
        ("v18.20.4", False),
        ("v20.18.9", False),
        ("v20.19.0", True),
        ("v21.7.3", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.1.0", True),
        ("nonsense", False),
    ],
)
def test_node_is_taken_from_the_machine_only_when_it_can_build_the_app(
    setup: ModuleType, tmp_path: Path, version: str, will_do: bool
):
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho {version}\n")
    node.chmod(0o755)
    assert setup.node_is_new_enough(str(node)) is will_do


def test_uv_is_told_the_index_that_pip_is_configured_for(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://mirror.example/simple\nextra-index-url =\n  https://a.example\n  https://b.example\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    environment = setup.uv_environment()
    assert environment["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert environment["UV_INDEX"] == "https://a.example https://b.example"

    monkeypatch.setenv("PIP_INDEX_URL", "https://other.example/simple")
    assert setup.uv_environment()["UV_DEFAULT_INDEX"] == "https://other.example/simple"

    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://chosen.example/simple")
    assert setup.uv_environment()["UV_DEFAULT_INDEX"] == "https://chosen.example/simple"


def test_a_step_is_done_again_when_a_source_changes_its_content_or_its_name(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    source = tmp_path / "src" / "one.ts"
    source.parent.mkdir()
    source.write_text("1")
    first = setup.digest([tmp_path / "src"])
    assert setup.digest([tmp_path / "src"]) == first
    source.write_text("2")
    changed = setup.digest([tmp_path / "src"])
    renamed = source.rename(source.with_name("two.ts"))
    assert len({first, changed, setup.digest([tmp_path / "src"])}) == 3
    renamed.unlink()
    assert setup.digest([tmp_path / "src"]) != changed


def test_a_failing_step_shows_its_last_lines_and_the_log(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(setup, "LOG", tmp_path / "setup.log")
    with pytest.raises(setup.SetupError) as stopped:
        setup.run([sys.executable, "-c", "print('what went wrong'); raise SystemExit(3)"])
    assert "what went wrong" in str(stopped.value)
    assert "failed with 3" in str(stopped.value)
    assert str(tmp_path / "setup.log") in str(stopped.value)
