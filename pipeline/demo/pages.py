"""The bytes of the demo's pages: an article in its site's house style, lists, a feed, a sitemap."""

import json
from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime
from html import escape
from importlib.resources import files
from string import Template

from pipeline.demo.article import Article
from pipeline.demo.sites import Site

NOARCHIVE = '<meta name="robots" content="noarchive">'

Link = tuple[str, str, str]
"""Address, headline, ISO 8601 date."""


def set_article(article: Article, site: Site, base: str, path: str, published: str, head: str = "") -> bytes:
    """The page at `base` + `path` with the article in the site's template; `head` is put into its head as it is."""
    byline = article.byline or site.desk
    author = byline.removeprefix("By ").removeprefix("by ")
    paragraphs: list[str] = []
    for number, paragraph in enumerate(article.body, start=1):
        paragraphs.append(f"<p>{escape(paragraph, quote=False)}</p>")
        paragraphs += [
            f'<p class="promo"><strong><a href="{base}/promo">{escape(line)}</a></strong></p>'
            for place, line in site.promotions
            if place == number
        ]
    return _fill(
        site.template,
        site.charset,
        body="\n".join(paragraphs),
        head=head,
        published=published,
        **_texts(
            site=site.title,
            base=base,
            url=base + path,
            headline=article.headline,
            byline=byline,
            author=author,
            description=article.paragraphs[0],
            day=f"{datetime.fromisoformat(published):%d %B %Y}".lstrip("0"),
        ),
    )


def set_list(headline: str, site: Site, base: str, links: Iterable[Link]) -> bytes:
    """A category page: headlines and dates, no running text."""
    rows = (
        f'<li><a href="{escape(url)}">{escape(title, quote=False)}</a> <span>{date[:10]}</span></li>'
        for url, title, date in links
    )
    return _fill("list", "utf-8", body="\n".join(rows), **_texts(site=site.title, base=base, headline=headline))


def set_video(headline: str, site: Site, base: str) -> bytes:
    """A page with a player and next to no text."""
    return _fill("video", "utf-8", **_texts(site=site.title, base=base, headline=headline))


def set_feed(site: Site, base: str, links: Iterable[Link]) -> bytes:
    """An RSS 2.0 feed of the links."""
    items = "".join(
        f'<item><title>{escape(title)}</title><link>{escape(url)}</link><guid isPermaLink="true">{escape(url)}</guid>'
        f"<pubDate>{format_datetime(datetime.fromisoformat(date))}</pubDate></item>\n"
        for url, title, date in links
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>'
        f"<title>{escape(site.title)}</title><link>{base}/</link><description>Noted elsewhere</description>\n"
        f"{items}</channel></rss>\n"
    ).encode()


def set_sitemap(links: Iterable[Link]) -> bytes:
    """A sitemap, protocol 0.9, of the links."""
    rows = "".join(f"<url><loc>{escape(url)}</loc><lastmod>{date}</lastmod></url>\n" for url, _, date in links)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{rows}</urlset>\n'
    ).encode()


def _texts(**texts: str) -> dict[str, str]:
    """Every text twice: escaped for HTML, and under `…_json` as a JSON string that cannot end its script element."""
    shown = {name: escape(text) for name, text in texts.items()}
    return shown | {f"{name}_json": json.dumps(text).replace("</", "<\\/") for name, text in texts.items()}


def _fill(template: str, charset: str, **places: str) -> bytes:
    page = files(__package__).joinpath("templates", f"{template}.html").read_text(encoding="utf-8")
    # What a charset cannot say, a page of that charset writes as a reference.
    return Template(page).substitute(places, charset=charset).encode(charset, "xmlcharrefreplace")
