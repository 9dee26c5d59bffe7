"""The frontier: URLs, and what is due for each."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipeline.store.tables import FrontierRow, Host, Purpose, Visit

# Somebody who asks again for a URL in one of these states wants another try.
REOPENED = (Visit.GIVEN_UP, Visit.GONE, Visit.CANCELLED, Visit.REFUSED)
ROWS_A_STATEMENT = 1_000


@dataclass(frozen=True, slots=True)
class NewUrl:
    """A URL to admit; `key` decides whether it is known already."""

    url: str
    key: str
    host: str
    purpose: Purpose
    found_by: str
    priority: int = 0
    source_id: int | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """What admission did: frontier ids of URLs that are new, were reopened, or were known."""

    new: tuple[int, ...] = ()
    reopened: tuple[int, ...] = ()
    known: tuple[int, ...] = ()

    @property
    def ids(self) -> tuple[int, ...]:
        """Every frontier row that was named, once."""
        return self.new + self.reopened + self.known


def ensure_hosts(session: Session, names: Sequence[str]) -> dict[str, int]:
    """Host name → id; hosts that were unknown are added."""
    wanted = sorted(set(names))
    for start in range(0, len(wanted), ROWS_A_STATEMENT):
        part = wanted[start : start + ROWS_A_STATEMENT]
        session.execute(insert(Host).values([{"name": name} for name in part]).on_conflict_do_nothing())
    found = session.execute(select(Host.name, Host.id).where(Host.name.in_(wanted)))
    return dict(found.all())


def admit(session: Session, urls: Sequence[NewUrl], *, reopen: bool) -> Admitted:
    """Put URLs into the frontier, each sameness key once; with `reopen`, give those that ended without a text another try."""
    unique = list({(url.purpose, url.key): url for url in reversed(urls)}.values())[::-1]
    hosts = ensure_hosts(session, [url.host for url in unique])
    new: list[int] = []
    reopened: list[int] = []
    known: list[int] = []
    for start in range(0, len(unique), ROWS_A_STATEMENT):
        part = unique[start : start + ROWS_A_STATEMENT]
        fresh = set(
            session.scalars(
                insert(FrontierRow)
                .values([_row(url, hosts) for url in part])
                .on_conflict_do_nothing()
                .returning(FrontierRow.id)
            )
        )
        rows = session.execute(
            select(FrontierRow.id, FrontierRow.state).where(
                FrontierRow.key.in_([url.key for url in part]), FrontierRow.purpose.in_({url.purpose for url in part})
            )
        ).all()
        new += [id_ for id_, _ in rows if id_ in fresh]
        again = [id_ for id_, state in rows if id_ not in fresh and reopen and state in REOPENED]
        known += [id_ for id_, _ in rows if id_ not in fresh and id_ not in again]
        reopened += again
    if reopened:
        session.execute(
            update(FrontierRow)
            .where(FrontierRow.id.in_(reopened))
            .values(
                state=Visit.WAITING,
                reason=None,
                points=0,
                first_failed_at=None,
                visit_url=FrontierRow.url,
                hops=[],
                next_attempt_at=func.now(),
                updated_at=func.now(),
            )
        )
    return Admitted(tuple(new), tuple(reopened), tuple(known))


def _row(url: NewUrl, hosts: dict[str, int]) -> dict[str, Any]:
    row = asdict(url)
    row["host_id"] = hosts[row.pop("host")]
    row["visit_url"] = url.url
    return row


def end_visit(session: Session, frontier_id: int, state: Visit, reason: str | None = None, same_as: int | None = None) -> None:
    """Move a row to `state`, saying why."""
    session.execute(
        update(FrontierRow)
        .where(FrontierRow.id == frontier_id)
        .values(state=state, reason=reason, same_as=same_as, updated_at=func.now())
    )


def known_by_key(session: Session, purpose: Purpose, key: str) -> FrontierRow | None:
    """The row that stands for this sameness key, where there is one."""
    return session.scalar(select(FrontierRow).where(FrontierRow.purpose == purpose, FrontierRow.key == key))
