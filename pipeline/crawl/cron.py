"""Cron lines: the times at which a source is polled where a person wants it so, as Debian's cron reads them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from pipeline.errors import Malformed

LONGEST_LINE = 200
# What the library raises for lines that it does not foresee ("MON#2/2"), besides its own error.
_BAD_LINE = (CronSimError, AssertionError, TypeError, ValueError, IndexError, OverflowError)


def read_zone(name: str) -> ZoneInfo:
    """The time zone of that name in the IANA database, such as Europe/Berlin. Raises Malformed."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Malformed(f"{name!r} is no time zone: write one like UTC or Europe/Berlin.") from error


def check_cron(line: str, zone: str) -> None:
    """Raise Malformed for a line that is no cron line, that names no day that ever comes, or for a zone that is none."""
    next_time(line, zone, datetime(2026, 1, 1, tzinfo=UTC))


def next_time(line: str, zone: str, now: datetime) -> datetime:
    """The first time after `now` that the line names in its zone, in UTC.

    Five fields: minute, hour, day of the month, month, day of the week. An hour that summer time leaves out or has twice is
    treated as Debian's cron does: what falls into the gap is due at its end, what comes twice once. Raises Malformed.
    """
    fields = line.split()
    if len(fields) != 5 or len(line) > LONGEST_LINE:
        raise Malformed(f"{line[:LONGEST_LINE]!r} is no cron line: it has five fields, as in '30 6 * * MON-FRI'.")
    try:
        found = next(CronSim(line, now.astimezone(read_zone(zone))))
    except StopIteration as error:
        raise Malformed(f"{line!r} names no time in the next 50 years.") from error
    except _BAD_LINE as error:
        said = str(error)
        raise Malformed(
            f"{line!r} is no cron line{f': {said.lower()}' if said else ''}; write one like '30 6 * * MON-FRI'."
        ) from error
    return found.astimezone(UTC)
