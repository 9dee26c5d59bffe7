"""Odd input keeps every promise: no exception, no lost character, nothing that nobody attests."""

import unicodedata
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.philology.collation import Collation, collate
from pipeline.philology.explanation import explain
from pipeline.philology.recovered import Evidence, LearnedPair, Recovery
from pipeline.philology.recovery import recover
from pipeline.philology.wear import worn
from pipeline.philology.witness import Witness


def story(*bodies: tuple[str, ...] | str, language: str | None = "en") -> Collation:
    paragraphs = ((body,) if isinstance(body, str) else body for body in bodies)
    return collate([Witness(str(number), body, language=language) for number, body in enumerate(paragraphs)])


def readings(recovery: Recovery) -> list[list[str]]:
    return [[reading.text for reading in unit.readings] for unit in recovery.apparatus]


def check(collation: Collation, recovery: Recovery) -> None:
    """All that holds of any recovery."""
    for tokens, witness in zip(collation.tokens, collation.witnesses, strict=True):
        printed = [tokens.as_printed(place) for place in range(len(tokens.paragraphs))]
        assert printed[len(printed) - len(witness.paragraphs) :] == [
            unicodedata.normalize("NFC", p) for p in witness.paragraphs
        ]
    attested = {text for tokens in collation.tokens for text in tokens.texts}
    for token in recovery.tokens:
        assert recovery.text[token.start : token.end] == token.text
        assert token.text in attested
        assert 0 <= token.probability <= 1
    end = 0
    for unit in recovery.apparatus:
        assert end <= unit.start <= unit.end
        end = unit.end
        assert [reading.text for reading in unit.readings if reading.lemma] == [recovery.text[unit.start : unit.end]]
        assert sum(reading.probability for reading in unit.readings) == pytest.approx(1)
    held = [Counter(tokens.paragraphs) for tokens in collation.tokens]
    for paragraph, count in Counter(recovery.text.split("\n\n")).items():
        most = max((own[paragraph] for own in held), default=0)
        assert not most or len(paragraph.split()) < 6 or count <= most
    assert len(recovery.witnesses) == len(collation.witnesses)


CONTROLS = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))
ODD = {
    "no paragraph": (),
    "empty paragraphs": ("", " ", "\t\n"),
    "emoji": ("🙂👩‍👩‍👧 🇺🇳 👍🏽 came to the 🏦 on Monday.",) * 3,
    "right to left": ("שלום עולם, זה מבחן של 2,500 מילים.", "وقال المتحدث إن الجسر أغلق يوم الاثنين.", "\u202eabc\u202c def"),
    "lone surrogates": ("\ud800 was \udfff here \ud83d", "\udc00"),
    "control characters": (f"one{CONTROLS}two {CONTROLS} three", CONTROLS),
    "mixed newlines": ("one\r\ntwo\rthree\nfour\u2028five\u2029six\x0bseven\x0ceight\x85nine",),
    "numbers": ("1 2 3 4,5 6.7 8,9,0 -1 +2 1/2 1e9 ٣٤٥ ⅷ ½ ",) * 4,
    "combining marks": ("e\u0301\u0301\u0301 \u0301 a\u0338 \u200b\u200d\ufeff x",),
    "one word": ("word " * 3000,),
    "one long word": ("a" * 50_000,),
    "punctuation": ("... --- ,,, ;;; “”‘’ «» !!!??? ()[]{}",) * 2,
}


@pytest.mark.parametrize("one", ODD)
@pytest.mark.parametrize("two", ["no paragraph", "emoji", "lone surrogates", "numbers", "mixed newlines"])
def test_odd_copies_side_by_side(one: str, two: str) -> None:
    """Each alone, with itself, with another one, and the other way round."""
    for bodies in ((ODD[one],), (ODD[one], ODD[one]), (ODD[one], ODD[two]), (ODD[two], ODD[one], ODD[one])):
        collation = story(*bodies)
        check(collation, recover(collation, Evidence(pairs=(LearnedPair("one", "two", 50),))))


@pytest.mark.parametrize("name", ODD)
def test_an_odd_copy_alone_comes_back(name: str) -> None:
    """Paragraph for paragraph, character for character, after NFC."""
    collation = story(ODD[name])
    recovery = recover(collation, Evidence())
    kept = [unicodedata.normalize("NFC", paragraph) for paragraph in ODD[name]]
    gone = [omission.text for omission in recovery.omitted]
    assert recovery.text == "\n\n".join(paragraph for paragraph in kept if paragraph not in gone)


words = st.sampled_from(
    [
        "the",
        "bridge",
        "closed",
        ",",
        ".",
        "2,500",
        "two,500",
        "2500",
        "“",
        "é",
        "e\u0301",
        "新",
        "華",
        "ไทย",
        "שלום",
        "🙂",
        "\ud800",
        "\x00",
        "\r\n",
        "E96",
        "C:G6C",
    ]
)
bodies = st.lists(
    st.lists(st.lists(words, max_size=20).map(" ".join) | st.text(st.characters(), max_size=30), max_size=4).map(tuple),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(bodies, st.randoms(use_true_random=False), st.integers(0, 60))
def test_any_copies_keep_the_promises_in_any_order(texts: list[tuple[str, ...]], random, position: int) -> None:
    """Offsets, sums, attestation, round trip; another order of the copies changes nothing; a word can be explained."""
    witnesses = [Witness(str(number), body) for number, body in enumerate(texts)]
    collation = collate(witnesses)
    recovery = recover(collation, Evidence())
    check(collation, recovery)
    random.shuffle(witnesses)
    assert recover(collate(witnesses), Evidence()) == recovery
    found = explain(collation, Evidence(), position)
    assert found is None or recovery.text[found.start : found.end] == found.text


def test_lost_blanks_and_commas_are_put_back_where_a_copy_has_them() -> None:
    """One unit each; the whole reading wins against one copy and against two; nobody's blank is made up."""
    lost = "He said it was takingIndia's place among the 31000 people on the list, the ministry said."
    whole = "He said it was taking India's place among the 31,000 people on the list, the ministry said."
    for copies in ((lost, whole), (lost, whole, whole), (lost, lost, whole)):
        recovery = recover(story(*copies), Evidence())
        assert recovery.text == whole
        assert readings(recovery) == [["taking India's", "takingIndia's"], ["31,000", "31000"]]
    assert recover(story(lost, lost), Evidence()).text == lost


def test_damaged_numbers_stand_in_one_unit_with_what_they_were() -> None:
    """Spelt out in part, without its comma, whole: the whole number wins with one vote of three."""
    copies = [
        "Some two,500 of them came, 8.Eight per cent more, the minister said on Monday in the capital.",
        "Some 2,500 of them came, 8.8 per cent more, the minister said on Monday in the capital.",
        "Some 2500 of them came, 8.8 per cent more, the minister said on Monday in the capital.",
    ]
    recovery = recover(story(*copies), Evidence())
    assert recovery.text == copies[1]
    assert [set(unit) for unit in readings(recovery)] == [{"2,500", "two,500", "2500"}, {"8.8", "8.Eight"}]


def test_what_is_worn_off() -> None:
    """A reading is another one's remains where blanks or commas alone are gone from it, never the other way round."""
    assert worn([("takingIndia's",), ("taking", "India's")]) == [True, False]
    assert worn([("31000",), ("31,000",), ("31.000",)]) == [True, False, False]
    assert worn([("514246",), ("5,14,246",)]) == [True, False]
    assert worn([("15",), ("1,5",)]) == [False, False]
    assert worn([("on", "2500", "men"), ("on", "2,500", "men"), ()]) == [True, False, False]


LANGUAGES = {
    "de": ("Die Regierung teilte am Donnerstag mit, sie werde den Grenzübergang im Norden nach 2.500 Einreisen schließen.", ("schließen", "sperren"), ("teilte", "gab"), ("Norden", "Süden")),
    "fr": ("Le gouvernement a annoncé jeudi qu’il fermerait le poste-frontière du nord après l’arrivée de 2 500 personnes.", ("annoncé", "déclaré"), ("fermerait", "clorait"), ("personnes", "gens")),
    "es": ("El Gobierno anunció el jueves que cerrará el paso fronterizo del norte tras la llegada de 2.500 personas en una semana.", ("anunció", "proclamó"), ("cerrará", "clausurará"), ("llegada", "venida")),
    "ru": ("Правительство сообщило в четверг, что закроет северный пограничный переход после прибытия 2500 человек за неделю.", ("сообщило", "заявило"), ("закроет", "затворит"), ("прибытия", "приезда")),
    "ar": ("قالت الحكومة يوم الخميس إنها ستغلق المعبر الحدودي الشمالي بعد وصول 2500 شخص خلال أسبوع واحد فقط.", ("قالت", "ذكرت"), ("ستغلق", "ستقفل"), ("وصول", "قدوم")),
    "zh": ("政府周四表示,在一周内有2500人抵达后,将关闭北部边境口岸。内政部长在首都对记者说,这种情况不能继续下去。", ("表示", "声称"), ("关闭", "封锁"), ("首都", "京城")),
    "ja": ("政府は木曜日、一週間で2500人が到着したことを受け、北部の国境検問所を閉鎖すると発表した。内相は首都で記者団に語った。", ("発表", "公表"), ("閉鎖", "封鎖"), ("首都", "都市")),
    "th": ("รัฐบาลกล่าวเมื่อวันพฤหัสบดีว่าจะปิดด่านชายแดนทางเหนือหลังจากมีคน 2,500 คนเดินทางมาถึงภายในหนึ่งสัปดาห์", ("กล่าว", "แถลง"), ("ปิด", "หยุด"), ("เหนือ", "ใต้")),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_copies_in_any_language_are_recovered(language: str) -> None:
    """Three copies, each changed at another place, give the text that none of them has, blank for blank."""
    original, *changes = LANGUAGES[language]
    copies = [original.replace(old, new) for old, new in changes]
    assert len({original, *copies}) == 4
    collation = story(*copies, language=language)
    recovery = recover(collation, Evidence())
    check(collation, recovery)
    assert recovery.text == unicodedata.normalize("NFC", original)
    assert len(recovery.apparatus) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("size", ["2 MB of one word", "10,000 paragraphs"])
def test_large_copies_come_back(size: str) -> None:
    """Nothing is lost of a large copy beside one that differs a little."""
    if size == "10,000 paragraphs":
        body = tuple(
            f"Paragraph {number} says that bridge {number * 7} was closed before the winter, and that its keeper left for the coast."
            for number in range(10_000)
        )
        collation = story(body, (*body[:5000], *body[5001:]))
    else:
        collation = story("word " * 400_000, ("word " * 400_000, "An end of its own, nine words long, no more."))
    recovery = recover(collation, Evidence())
    check(collation, recovery)
    assert len(recovery.tokens) >= 400_000 if "word" in size else recovery.text == "\n\n".join(collation.tokens[0].paragraphs)
