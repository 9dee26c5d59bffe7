"""Bodies of captures: content-addressed, compressed, each once, in the database or in a folder.

The row of a body says where its bytes lie: in the row itself, or, where `data` is null, in the file that its name leads to.
So a change of the setting concerns new bodies alone: older ones are found where they were put, and nothing is moved.
"""

import hashlib
import os
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pipeline.store.tables import Body, Capture

GZIP = 31
# gzip or zlib, whichever it is: bodies of the first wirecopy are packed with zlib.
EITHER = 47
SUFFIX = ".gz"


def fingerprint_body(body: bytes) -> str:
    """The SHA-256 of a body, in hexadecimal: its name in the store."""
    return hashlib.sha256(body).hexdigest()


@dataclass(frozen=True, slots=True)
class Bodies:
    """Where bodies lie: new ones in the database, or, with `in_folder`, as files under `folder`."""

    folder: Path
    in_folder: bool = False

    def put(self, session: Session, body: bytes) -> str:
        """Store a body, or keep the one that is there from being dropped before this transaction ends; its SHA-256.

        A file is complete, and on the disk, before its row can be committed; where the transaction is undone it stays, to be
        taken up by the next capture of the same bytes. Raises OSError where the folder cannot be written.
        """
        name = fingerprint_body(body)
        self.put_all(session, {name: body})
        return name

    def put_all(self, session: Session, bodies: Mapping[str, bytes]) -> None:
        """Store bodies under their SHA-256, in one statement; as `put`."""
        if not bodies:
            return
        # Everybody stores bodies in one order: two workers with the same ones do not wait for each other crosswise.
        rows = [
            {"sha256": name, "data": None if self.in_folder else _pack(body), "size": len(body)}
            for name, body in sorted(bodies.items())
        ]
        new = insert(Body)
        kept = new.on_conflict_do_update(index_elements=["sha256"], set_={"size": new.excluded.size})
        in_files = session.connection().execute(kept.returning(Body.sha256, Body.data.is_(None).label("in_file")), rows)
        for name in [row.sha256 for row in in_files if row.in_file]:
            # The row is locked from here on, so that nobody can be about to remove the file that is found.
            if not self.path(name).exists():
                write_whole(self.path(name), _pack(bodies[name]))

    def read(self, session: Session, name: str) -> bytes | None:
        """The body of that name, wherever it was put; None where it is not there, or its file does not hold it."""
        row = session.execute(select(Body.data).where(Body.sha256 == name)).first()
        if row is None:
            return None
        try:
            body = zlib.decompress(self.path(name).read_bytes() if row.data is None else row.data, EITHER)
        except (OSError, zlib.error):
            return None
        return body if row.data is not None or fingerprint_body(body) == name else None

    def drop_unused(self, session: Session, name: str) -> bool:
        """Drop a body that no capture keeps any more; whether it was dropped.

        Its file goes before its row: what breaks off in between leaves a row without a file, which the next try drops.
        """
        # Locked first: whoever stores the same bytes just now is waited for, and the next statement sees that capture.
        session.execute(select(Body.sha256).where(Body.sha256 == name).with_for_update())
        if session.scalar(select(Capture.id).where(Capture.body_sha256 == name, Capture.kept).limit(1)) is not None:
            return False
        self.path(name).unlink(missing_ok=True)
        session.execute(delete(Body).where(Body.sha256 == name))
        return True

    def path(self, name: str) -> Path:
        """The file of a body: two levels of folders, so that none of them holds millions of files."""
        return self.folder / name[:2] / name[2:4] / (name + SUFFIX)


def write_whole(path: Path, content: bytes) -> None:
    """The whole file or none, on the disk: written under another name, and moved when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".draft")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    # The name has to be on the disk, too.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _pack(body: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, GZIP)
    return packer.compress(body) + packer.flush()
