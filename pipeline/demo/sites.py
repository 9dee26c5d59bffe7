"""The papers and aggregators of the demo's web, each on a host of its own."""

from dataclasses import dataclass

ALLOWED = "User-agent: *\nAllow: /\n"


@dataclass(frozen=True, slots=True)
class Site:
    """One host: who publishes there, how its pages look, and its manners."""

    title: str
    template: str
    """The file in templates/ that its articles are set in."""
    desk: str
    """Printed where an article has no byline."""
    promotions: tuple[tuple[int, str], ...] = ()
    """Lines that the site prints between paragraphs: after which one, and what."""
    robots: str | None = ALLOWED
    """Its robots.txt, `$base` standing for the site's address; None answers 500."""
    zipped: bool = False
    """Pages go out gzipped to clients that accept it."""
    charset: str = "utf-8"


# The order is the order of the hosts: the first is on 127.0.0.2, the next on 127.0.0.3.
SITES: dict[str, Site] = {
    "ledger": Site(
        "The Ardmouth Ledger",
        "broadsheet",
        "Agencies",
        ((3, "Also read: Ardmouth tram line to open a year late"), (9, "Subscribe to our newsletter: the day in five minutes")),
        robots="User-agent: *\nDisallow: /search\nDisallow: /account/\n",
    ),
    "courier": Site(
        "Northline Courier",
        "regional",
        "Meridian Press",
        ((4, "Also read: Bakers warn of a flour shortage"), (8, "Follow Northline Courier for breaking news")),
        zipped=True,
    ),
    "tribune": Site(
        "Bayside Tribune",
        "portal",
        "Tribune staff and agencies",
        ((2, "ADVERTISEMENT: story continues below"),),
    ),
    "farmer": Site(
        "The Eastern Farmer", "regional", "From our wire services", ((5, "Also read: Five barley varieties to sow in spring"),)
    ),
    "mercury": Site("Saint Brannoch Mercury", "static", "By our agency service", charset="windows-1252"),
    "quicknews": Site(
        "QuickNews24",
        "blog",
        "admin",
        ((2, "Also read: 10 kitchen tricks that will surprise you"),),
        robots="User-agent: *\nCrawl-delay: 0.5\nDisallow: /wp-admin/\n",
    ),
    "buzz": Site("TodayBuzzPress", "blog", "Staff Writer", ((6, "Join our channel and never miss an update!"),)),
    "globe": Site("Globe Updates Hub", "portal", "Globe Desk", ((4, "Recommended: How to save on your phone bill"),)),
    "mirror": Site("NewsMirror365", "plain", ""),
    "watch": Site("Wirewatch", "regional", "Wirewatch"),
    "chronicle": Site("The Calder Chronicle", "broadsheet", "Chronicle reporters", robots="User-agent: *\nDisallow: /print/\n"),
    "sulky": Site("Lausen Evening Star", "portal", "Agencies", robots=None),
    "herald": Site(
        "Tarn Valley Herald",
        "broadsheet",
        "Herald reporters",
        ((7, "Subscribe to our newsletter and read the valley's news every morning"),),
        robots="User-agent: *\nAllow: /\n\nSitemap: $base/sitemap.xml\n",
    ),
    "post": Site(
        "Wexholm Evening Post", "regional", "Evening Post", ((3, "Also read: Harbour baths open again after repairs"),)
    ),
    "old-mercury": Site("Saint Brannoch Mercury (old address)", "static", ""),
}
