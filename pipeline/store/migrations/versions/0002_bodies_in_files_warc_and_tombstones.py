"""Bodies may lie in files; WARC files; tombstones of what was forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("bodies", "data", existing_type=sa.LargeBinary(), nullable=True)
    op.create_table(
        "warc_files",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warc_files")),
        sa.UniqueConstraint("place", "name", name=op.f("uq_warc_files_place_name")),
    )
    op.create_index("ix_warc_files_open", "warc_files", ["place"], unique=True, postgresql_where=sa.text("closed_at IS NULL"))
    op.create_table(
        "tombstones",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_tombstones")),
    )
    op.add_column("captures", sa.Column("to_archive", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("captures", sa.Column("warc_file_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_captures_warc_file_id_warc_files"), "captures", "warc_files", ["warc_file_id"], ["id"])
    op.create_index(op.f("ix_captures_warc_file_id"), "captures", ["warc_file_id"])
    op.create_index("ix_captures_to_archive", "captures", ["id"], postgresql_where=sa.text("to_archive"))
    op.create_index("ix_captures_kept", "captures", ["fetched_at"], postgresql_where=sa.text("kept"))
    op.add_column("stories", sa.Column("forgotten_versions", sa.BigInteger(), server_default="0", nullable=False))
