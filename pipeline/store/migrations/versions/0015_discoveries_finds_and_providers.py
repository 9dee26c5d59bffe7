"""Discoveries, what they found, and the books of the providers; URLs whose copies are looked for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None

STAGES = "stage IN ('fetch', 'extract', 'read_source', 'place', 'collate', 'recover', 'discover')"


def upgrade() -> None:
    for table in ("attempts", "quarantine"):
        op.drop_constraint(op.f(f"ck_{table}_stage"), table)
        op.create_check_constraint("stage", table, STAGES)
    op.add_column("frontier", sa.Column("discover", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_table(
        "discoveries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("story_id", sa.BigInteger(), nullable=True),
        sa.Column("witness_id", sa.BigInteger(), nullable=True),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("runs", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("missed", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("reports", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.ForeignKeyConstraint(["story_id"], ["stories.id"], name=op.f("fk_discoveries_story_id_stories"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["witness_id"], ["witnesses.id"], name=op.f("fk_discoveries_witness_id_witnesses"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_discoveries_job_id_jobs"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discoveries")),
    )
    op.create_index(op.f("ix_discoveries_story_id"), "discoveries", ["story_id"])
    op.create_index(op.f("ix_discoveries_witness_id"), "discoveries", ["witness_id"])
    op.create_index(op.f("ix_discoveries_job_id"), "discoveries", ["job_id"])
    op.create_index("ix_discoveries_due", "discoveries", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_table(
        "finds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("discovery_id", sa.BigInteger(), nullable=False),
        sa.Column("frontier_id", sa.BigInteger(), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("snippet", sa.Text(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["discovery_id"], ["discoveries.id"], name=op.f("fk_finds_discovery_id_discoveries"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["frontier_id"], ["frontier.id"], name=op.f("fk_finds_frontier_id_frontier"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finds")),
        sa.UniqueConstraint("discovery_id", "key", name=op.f("uq_finds_discovery_id_key")),
    )
    op.create_index(op.f("ix_finds_frontier_id"), "finds", ["frontier_id"])
    op.create_index(op.f("ix_finds_key"), "finds", ["key"])
    op.create_table(
        "provider_books",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("free_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("spent", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_failure", sa.Text(), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_provider_books")),
    )
    op.create_table(
        "provider_answers",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("provider", "key", name=op.f("pk_provider_answers")),
    )
    op.create_index(op.f("ix_provider_answers_kept_until"), "provider_answers", ["kept_until"])
