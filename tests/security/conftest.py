from tests.apps.api.conftest import api, person

__all__ = ["api", "person"]
