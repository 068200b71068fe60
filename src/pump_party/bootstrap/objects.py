"""Where large bodies are kept by the hash of their content: raw prices, contexts, prompts, answers, reports."""

from pathlib import Path
from typing import TYPE_CHECKING

from pump_party.config import Settings

if TYPE_CHECKING:
    from pump_party.adapters.object_store import ObjectStore

OBJECTS_FOLDER = "objects"


def build_object_store(settings: Settings) -> "ObjectStore":
    """Raises Invalid for a URL that cannot be opened."""
    from pump_party.adapters.object_store import ObjectStore

    folder = Path(settings.data_dir).expanduser().resolve() / OBJECTS_FOLDER
    return ObjectStore(settings.object_store_url or str(folder))
