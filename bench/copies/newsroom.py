"""What newsrooms do to an agency's text: house style, cuts, datelines, credit and promotion lines, paragraphs moved about.

Every function takes the paragraphs and a random generator and gives new paragraphs; the wording that it adds is its own.
"""

import re
from random import Random

from bench.copies.case import Paragraphs

CITIES = ("LONDON", "GENEVA", "NAIROBI", "SEOUL", "MONTREAL", "LIMA", "CANBERRA", "WARSAW", "DHAKA", "LAGOS", "OSLO", "AMMAN")
AGENCIES = ("Meridian Press", "Northern Wire", "Atlas News Agency", "UNN")
MONTHS = ("Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec.")
NAMES = ("Ana Duarte", "Tom Reilly", "Priya Nair", "Jonas Weber", "Leila Haddad", "Mark Osei", "Kim Soo-jin", "Elena Petrova")
PROMOTIONS = (
    "Read also: {title}",
    "ALSO READ | {title}",
    "Related: {title}",
    "Related stories: {title}",
    "More on this story: {title}",
    "Don't miss: {title}",
    "Watch: {title}",
    "READ MORE: {title}",
    "See also: {title}",
    "Recommended: {title}",
    "In pictures: {title}",
    "Next up: {title}",
    "> {title}",
    "From our archive: {title}",
    "Sign up for the morning briefing of {paper} and get the day's top stories in your inbox",
    "Sign up for our newsletter",
    "Subscribe to {paper} for more stories like this one.",
    "Subscribe now for unlimited access to everything {paper} has to offer.",
    "Follow {paper} on Twitter and Facebook for the latest updates",
    "Follow us on Instagram",
    "ADVERTISEMENT",
    "Story continues below advertisement",
    "Article continues after ad",
    "Download our app for breaking news alerts",
    "Click here for our full coverage",
    "For all the latest world news, download the app of {paper}.",
    "Get {paper} on WhatsApp: send START to our news desk",
    "Join the conversation: tell us what you think in the comments",
    "Do you have a story for {paper}? Write to our news desk.",
    "Enjoying this article? {paper} depends on readers like you.",
    "(This story has not been edited by {paper} staff and is published from a syndicated feed.)",
    "(Except for the headline, {paper} has not edited this report.)",
    "{paper} is not responsible for the content of external sites.",
    "This article was first published on the website of {paper}.",
)
TITLES = (
    "Ministers clash over budget as deadline nears",
    "Five things to know about the new season",
    "Storm leaves thousands without power",
    "Why rents keep rising in the capital",
    "Champions held to a draw at home",
    "Scientists find new species in deep-sea trench",
    "Old mill to become a museum of weaving",
    "Bus drivers vote on walkout",
    "What the new tax rules mean for you",
    "Singer cancels tour after injury",
    "Lost violin returned after thirty years",
    "Drought empties reservoirs in the south",
    "Chess prodigy, 12, beats grandmaster",
    "Airport reopens after night of fog",
    "How a village saved its last shop",
    "Court rejects appeal in fraud trial",
    "Our critics choose the books of the year",
    "Wolves seen near the city for the first time",
    "Farmers fear a poor harvest",
    "Is your password on this list?",
)
PAPERS = (
    "The Daily Ledger",
    "Metro Courier",
    "The Harbour Post",
    "Coast Tribune",
    "Evening Star",
    "The Valley Record",
    "Northern Echo Online",
    "The Examiner",
    "City Gazette",
    "Sunday Mirror Weekly",
    "The Observer Herald",
    "News Hour",
)
CREDITS = (
    "(Reporting by {one}; editing by {two})",
    "(Reporting by {one} and {two}; Writing by {two}; Editing by {one})",
    "With inputs from agencies",
    "— {agency}",
    "Source: {agency}",
    "Additional reporting by {one}",
)
CAPTIONS = ("File photo: {place}. Photograph: {one}/{agency}", "{place}, in a picture taken last week. ({agency})")
# American, British: the ones newspapers meet daily. Word starts, so that endings follow.
SPELLINGS = (
    ("organiz", "organis"),
    ("realiz", "realis"),
    ("recogniz", "recognis"),
    ("emphasiz", "emphasis"),
    ("criticiz", "criticis"),
    ("authoriz", "authoris"),
    ("center", "centre"),
    ("color", "colour"),
    ("favor", "favour"),
    ("labor", "labour"),
    ("honor", "honour"),
    ("neighbor", "neighbour"),
    ("harbor", "harbour"),
    ("defense", "defence"),
    ("offense", "offence"),
    ("traveler", "traveller"),
    ("program", "programme"),
    ("theater", "theatre"),
)
# Papers leave most of an agency's habits alone; what is left alone stays as it is, mixed or not.
CHANGED = 0.3
STYLES = (
    ("percent", ("percent", "per cent", "%")),
    ("us", ("U.S.", "US")),
    ("spelling", ("American", "British")),
    ("quotes", ("straight", "curly")),
    ("dash", ("-", "–", "—")),
    ("dollar", ("$", "US$")),
    ("titles", ("short", "long")),
)
LONG_TITLES = (("Sen. ", "Senator "), ("Gov. ", "Governor "), ("Gen. ", "General "), ("Dr. ", "Dr "), ("Mr. ", "Mr "))
SENTENCE = re.compile(r"(?<=[.!?][\"”’'])\s+(?=[A-Z\"“‘])|(?<=[a-z0-9)][.!?])\s+(?=[A-Z\"“‘])")


def house_style(paragraphs: Paragraphs, rng: Random) -> Paragraphs:
    """The text in one paper's style: each habit that it has goes one way through the whole of it."""
    style = {name: rng.choice(ways) if rng.random() < CHANGED else "" for name, ways in STYLES}
    return tuple(_styled(paragraph, style) for paragraph in paragraphs)


def _styled(text: str, style: dict[str, str]) -> str:
    if percent := style["percent"]:
        text = re.sub(r"(?<=\d)(?: percent| per cent|%)", "%" if percent == "%" else f" {percent}", text)
    if style["us"]:
        text = re.sub(r"\bU\.S\.(?=[\s,;:’'])|\bUS\b(?!\$)", style["us"], text)
    if style["dollar"]:
        text = re.sub(r"(?:\bUS)?\$(?=\d)", style["dollar"], text)
    if style["dash"]:
        text = re.sub(r"\s[-–—]{1,2}\s", f" {style['dash']} ", text)
    if style["spelling"]:
        text = _spelt(text, british=style["spelling"] == "British")
    if style["titles"] == "long":
        for short, long in LONG_TITLES:
            text = text.replace(short, long)
    if style["quotes"]:
        text = curled(text) if style["quotes"] == "curly" else straight(text)
    return text


def _spelt(text: str, *, british: bool) -> str:
    for pair in SPELLINGS:
        old, new = pair if british else pair[::-1]
        # "programme" is not to become "programmeme"
        text = re.sub(rf"\b({old[0]}|{old[0].upper()}){old[1:]}(?!me)", lambda found, new=new: found[1] + new[1:], text)
    return text


def curled(text: str) -> str:
    """Typographic quotation marks."""
    text = re.sub(r"(^|[\s(\[–—-])\"", r"\1“", text).replace('"', "”")
    return re.sub(r"(^|[\s(\[“])'", r"\1‘", text).replace("'", "’")


def straight(text: str) -> str:
    """A typewriter's quotation marks."""
    return text.translate(str.maketrans("“”‘’", "\"\"''"))


def dateline_of_agency(paragraphs: Paragraphs, rng: Random) -> Paragraphs:
    """The text with an agency's dateline before its first sentence."""
    place = f"{rng.choice(CITIES)}, {rng.choice(MONTHS)} {rng.randint(1, 28)} ({rng.choice(AGENCIES)})"
    return (f"{place} - {paragraphs[0]}", *paragraphs[1:])


DATELINE = re.compile(r"(?P<place>[A-Z][A-Z .'-]+)(?:, [\w.]+ \d{1,2})?(?: \([^)]{2,30}\))? ?[-–—] (?=\S)")


def other_dateline(paragraphs: Paragraphs, rng: Random) -> Paragraphs:
    """The dateline as papers leave it: shortened to the place, with another agency's name, or gone."""
    found = DATELINE.match(paragraphs[0])
    if not found:
        return paragraphs
    form = rng.choice(("{place} — ", "{place} ({agency}) – ", ""))
    head = form.format(place=found["place"], agency=rng.choice(AGENCIES))
    return (head + paragraphs[0][found.end() :], *paragraphs[1:])


def cut_from_end(paragraphs: Paragraphs, rng: Random, least: float = 0.6, most: float = 0.95) -> Paragraphs:
    """Whole paragraphs gone from the end, `least` to `most` of them kept."""
    return paragraphs[: max(2, round(len(paragraphs) * rng.uniform(least, most)))]


def drop_paragraph(paragraphs: Paragraphs, rng: Random) -> Paragraphs:
    """One paragraph gone from the midst."""
    at = rng.randrange(1, len(paragraphs) - 1) if len(paragraphs) > 3 else len(paragraphs)
    return paragraphs[:at] + paragraphs[at + 1 :]


def drop_sentence(paragraphs: Paragraphs, rng: Random) -> Paragraphs:
    """One sentence gone from a paragraph that has more."""
    long = [at for at, paragraph in enumerate(paragraphs) if len(SENTENCE.split(paragraph)) > 1]
    if not long:
        return paragraphs
    at = rng.choice(long)
    sentences = SENTENCE.split(paragraphs[at])
    sentences.pop(rng.randrange(1, len(sentences)))
    return (*paragraphs[:at], " ".join(sentences), *paragraphs[at + 1 :])


def move_paragraph(paragraphs: Paragraphs, rng: Random) -> Paragraphs:
    """One paragraph, not the first, at least two places away."""
    if len(paragraphs) < 5:
        return paragraphs
    rest = list(paragraphs)
    at = rng.randrange(1, len(rest))
    moved = rest.pop(at)
    places = [place for place in range(1, len(rest) + 1) if abs(place - at) > 1]
    rest.insert(rng.choice(places), moved)
    return tuple(rest)


def double_paragraph(paragraphs: Paragraphs, rng: Random) -> Paragraphs:
    """One paragraph a second time further down, as content systems do it and pull quotes."""
    at = rng.randrange(len(paragraphs))
    to = rng.randrange(at + 1, len(paragraphs) + 1)
    return paragraphs[:to] + paragraphs[at : at + 1] + paragraphs[to:]


def join_paragraphs(paragraphs: Paragraphs, rng: Random) -> Paragraphs:
    """Two neighbours run together."""
    if len(paragraphs) < 3:
        return paragraphs
    at = rng.randrange(len(paragraphs) - 1)
    return (*paragraphs[:at], " ".join(paragraphs[at : at + 2]), *paragraphs[at + 2 :])


def split_paragraph(paragraphs: Paragraphs, rng: Random) -> Paragraphs:
    """A paragraph of several sentences broken in two."""
    long = [at for at, paragraph in enumerate(paragraphs) if len(SENTENCE.split(paragraph)) > 1]
    if not long:
        return paragraphs
    at = rng.choice(long)
    sentences = SENTENCE.split(paragraphs[at])
    cut = rng.randrange(1, len(sentences))
    return (*paragraphs[:at], " ".join(sentences[:cut]), " ".join(sentences[cut:]), *paragraphs[at + 1 :])


def insert_promotion(paragraphs: Paragraphs, rng: Random) -> Paragraphs:
    """A line of the page's own between two paragraphs or behind the last one."""
    line = rng.choice(PROMOTIONS).format(title=rng.choice(TITLES), paper=rng.choice(PAPERS))
    at = rng.randrange(1, len(paragraphs) + 1)
    return (*paragraphs[:at], line, *paragraphs[at:])


def add_credit(paragraphs: Paragraphs, rng: Random) -> Paragraphs:
    """A credit line behind the text."""
    one, two = rng.sample(NAMES, 2)
    return (*paragraphs, rng.choice(CREDITS).format(one=one, two=two, agency=rng.choice(AGENCIES)))


def add_byline(paragraphs: Paragraphs, rng: Random) -> Paragraphs:
    """A byline before the text."""
    return (f"By {rng.choice(NAMES)}", *paragraphs)


def add_caption(paragraphs: Paragraphs, rng: Random) -> Paragraphs:
    """A picture's caption before the text."""
    line = rng.choice(CAPTIONS).format(place=rng.choice(CITIES).title(), one=rng.choice(NAMES), agency=rng.choice(AGENCIES))
    return (line, *paragraphs)


WORDING = (
    (r"\bsaid\b(?! (?:that|to|in|on|at)\b)", ("told reporters", "added")),
    (r"\bsaid (?=Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)", ("said on ",)),
    (r"\bmore than\b", ("over",)),
    (r"\babout (?=\d)", ("around ",)),
    (r"\bpeople\b", ("persons",)),
    (r"\bbegan\b", ("started",)),
    (r"\bbut\b", ("although",)),
    (r"\bnearly\b", ("almost",)),
    (r"\bwas killed\b", ("died",)),
    (r"\blawmakers\b", ("legislators",)),
)


def reword_lightly(paragraphs: Paragraphs, rng: Random, share: float = 0.15) -> Paragraphs:
    """An editor's small changes: other verbs of saying, an "on" before a weekday."""

    def changed(text: str) -> str:
        for pattern, options in WORDING:
            text = re.sub(pattern, lambda found, options=options: _either(found[0], options, rng, share), text)
        return text

    return tuple(map(changed, paragraphs))


def _either(word: str, options: tuple[str, ...], rng: Random, share: float) -> str:
    return rng.choice(options) if rng.random() < share else word
