"""Results over HTTP: their shape, and nothing invented before the first mark."""

from tests.apps.api.stage import SOL, Api, Person

from pump_party.apps.api.schemas.results import Results


def test_results_are_decimal_strings_and_null_where_nothing_is_known(api: Api, person: Person):
    api.set_price(150)
    account_id = person.open_account()
    path = f"/v1/accounts/{account_id}/results"
    unknown = person.get(path).json()
    assert set(unknown) == set(Results.__struct_fields__)
    assert (unknown["start"], unknown["marks"], unknown["curve"]) == ("10000", 0, [])
    assert [unknown[name] for name in ("equity", "return_ppm", "sharpe", "sentence", "baselines")] == [None] * 5

    person.post(f"/v1/accounts/{account_id}/orders", {"market": SOL, "side": "buy", "quantity": "2"})
    api.services.prop.mark_accounts()
    found = person.get(path).json()
    account = person.get(f"/v1/accounts/{account_id}").json()
    assert (found["equity"], found["fees"], found["fills"]) == (account["equity"], account["fees"], 1)
    assert float(found["standing_equity"]) < float(found["equity"])
    assert found["standing_return_ppm"] < found["return_ppm"] < 0
    assert found["curve"][0]["equity"] == "10000"
    row = next(row for row in person.get("/v1/leaderboards/practice?limit=200").json()["items"] if row["mine"])
    assert (row["standing_equity"], row["return_ppm"]) == (found["standing_equity"], found["standing_return_ppm"])


def test_nobody_reads_the_results_of_another(api: Api, person: Person):
    api.set_price(150)
    account_id = person.open_account()
    assert api.client.get(f"/v1/accounts/{account_id}/results").status_code == 401
    stranger = api.sign_in()
    assert stranger.get(f"/v1/accounts/{account_id}/results").status_code == 404
