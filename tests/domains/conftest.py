"""What tests of domains share."""

from pathlib import Path
from typing import Any

import msgspec
import pytest


@pytest.fixture(scope="session")
def spec_vectors(recorded_data: Path) -> dict[str, Any]:
    """The execution model's test vectors."""
    return msgspec.json.decode((recorded_data / "spec/vectors.json").read_bytes())
