import re

from pump_party.domains.users.display_names import ADJECTIVES, ANIMALS, display_name


def test_a_display_name_is_two_words_and_a_number_and_never_changes():
    assert display_name("0197f0a0-0000-7000-8000-000000000001") == display_name("0197f0a0-0000-7000-8000-000000000001")
    assert all(re.fullmatch(r"[a-z]+-[a-z]+-\d{4}", display_name(str(number))) for number in range(1_000))


def test_display_names_are_spread_over_all_words():
    names = {display_name(str(number)) for number in range(10_000)}

    assert len(names) > 9_990
    assert {name.split("-")[0] for name in names} == set(ADJECTIVES)
    assert {name.split("-")[1] for name in names} == set(ANIMALS)
