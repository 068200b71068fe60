"""What an account's trading came to."""

from litestar import get
from litestar.types import Scope

from pump_party.apps.api.auth import Access
from pump_party.apps.api.calls import call_of
from pump_party.apps.api.parameters import PathText, access, checked_id
from pump_party.apps.api.schemas.results import Results, render_results


@get("/v1/accounts/{account_id:str}/results", opt=access(Access.READ), tags=["accounts"])
async def read_results(scope: Scope, account_id: PathText) -> Results:
    """Return, drawdown and every ratio of the current cycle, with the sample size, beside holding and chance."""
    call = call_of(scope)
    account_id = checked_id(account_id, "account")
    return render_results(await call.run(call.services.prop.results, call.user_id(), account_id))
