import pytest
from hypothesis import given
from hypothesis import strategies as st

from pump_party.domains.clones.naming import (
    BIO_CHARS_MAX,
    NAME_CHARS_MAX,
    NAME_CHARS_MIN,
    clean_bio,
    clean_name,
    clean_operator,
    clean_reason,
    name_key,
)
from pump_party.domains.clones.words import OPERATOR_CHARS_MAX, REASON_CHARS_MAX
from pump_party.kernel.errors import Invalid


@pytest.mark.parametrize(
    ("offered", "kept"),
    [
        ("Momo", "Momo"),
        ("  Night   Ledger 7 ", "Night Ledger 7"),
        ("Ünïcode-Bär", "Ünïcode-Bär"),
        ("ＡＢＣ", "ABC"),
        ("Босс", "Босс"),
        ("東京ロボ", "東京ロボ"),
        ("한국 로봇", "한국 로봇"),
        ("हिन्दी", "हिन्दी"),
        ("ไทยเทส", "ไทยเทส"),
        ("x" * NAME_CHARS_MAX, "x" * NAME_CHARS_MAX),
    ],
)
def test_a_name_in_one_script_is_kept_in_one_spelling(offered: str, kept: str):
    assert clean_name(offered) == kept
    assert clean_name(kept) == kept


@pytest.mark.parametrize(
    "offered",
    [
        "",
        "ab",
        "x" * (NAME_CHARS_MAX + 1),
        "x" * 2_000,
        "12345",
        "-Momo",
        "Momo.",
        "Mo<b>mo",
        "Mo\u202eom",
        "Mo\u200dmo",
        "Mo\u200bmo",
        "Mo\x00mo",
        "Mo\u00admo",
        "Mo\ue000mo",
        "\u3164\u3164\u3164abc",
        "Mom\u043e",
        "M\u03bfmo",
        "Momo\u0660",
        "za\u0301\u0302\u0303lgo",
        "Q\u0301ueen",
        "🚀🚀🚀",
        "admin",
        "Adm1n",
        "A-d-m-i-n",
        "Pump Party",
        "PumpParty Bot",
        "Hidden clone 12ab",
    ],
)
def test_a_name_that_hides_or_mixes_or_is_reserved_is_refused(offered: str):
    with pytest.raises(Invalid) as refusal:
        clean_name(offered)
    assert (refusal.value.code, refusal.value.field) == ("bad_name", "name")


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("Boss", "B0SS"),
        ("Momo 1", "Momo l"),
        ("Momo I", "momo 1"),
        ("Night Ledger", "night-ledger"),
        ("Night Ledger", "Night_Ledger"),
        ("Pacer", "Расег"),
        ("Corner", "Comer"),
        ("Straße", "STRASSE"),
    ],
)
def test_names_that_look_alike_have_one_key(name: str, twin: str):
    assert name_key(clean_name(name)) == name_key(clean_name(twin))


def test_names_that_differ_have_keys_that_differ():
    names = ["Momo", "Mimo", "Nomo", "Босс", "Boss", "Ledger 2", "Ledger 3", "Bär", "Bar"]
    assert len({name_key(clean_name(name)) for name in names}) == len(names)


@given(st.text(max_size=60))
def test_whatever_is_offered_is_refused_or_kept_within_the_rules(offered: str):
    try:
        kept = clean_name(offered)
    except Invalid:
        return
    assert NAME_CHARS_MIN <= len(kept) <= NAME_CHARS_MAX
    assert kept.isprintable()
    assert clean_name(kept) == kept
    assert name_key(kept) == name_key(kept.upper().lower())


def test_a_bio_is_one_line_of_visible_text():
    assert clean_bio("  Buys dips.\n Sells rips. 🚀 50 % of profits ") == "Buys dips. Sells rips. 🚀 50 % of profits"
    assert clean_bio("hello мир") == "hello мир"
    assert clean_bio("") == ""
    for bad in ("x" * (BIO_CHARS_MAX + 1), "p\u0430ypal", "a\u202eb", "a\u0000b"):
        with pytest.raises(Invalid) as refusal:
            clean_bio(bad)
        assert refusal.value.code == "bad_bio"


def test_a_reason_and_an_operator_are_given_and_short():
    assert clean_reason(" rude ") == "rude"
    assert clean_operator("Olga  P") == "Olga P"
    for clean, chars_max, code in (
        (clean_reason, REASON_CHARS_MAX, "bad_reason"),
        (clean_operator, OPERATOR_CHARS_MAX, "bad_operator"),
    ):
        for bad in ("", "  ", "x" * (chars_max + 1), "a\u200bb"):
            with pytest.raises(Invalid) as refusal:
                clean(bad)
            assert refusal.value.code == code
