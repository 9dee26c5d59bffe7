"""Sources have a schedule that adapts, or a cron line; what is remembered of each listing's polls; a host's least interval."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("sources", "interval", nullable=True)
    op.drop_constraint("ck_sources_kind", "sources")
    op.create_check_constraint("kind", "sources", "kind IN ('feed', 'sitemap', 'section')")
    op.add_column("sources", sa.Column("cron", sa.Text(), nullable=True))
    op.add_column("sources", sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False))
    tags: sa.Column[list[str]] = sa.Column(
        "tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False
    )
    op.add_column("sources", tags)
    op.add_column("sources", sa.Column("discover", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("sources", sa.Column("host_interval", sa.Double(), nullable=True))
    op.add_column("sources", sa.Column("links", sa.Text(), nullable=True))
    op.add_column("sources", sa.Column("other_hosts", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("sources", sa.Column("asleep_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("hosts", sa.Column("least_interval", sa.Double(), nullable=True))
    op.create_table(
        "listings",
        sa.Column("frontier_id", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("depth", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("items", sa.Double(), server_default="0", nullable=False),
        sa.Column("seconds", sa.Double(), server_default="0", nullable=False),
        sa.Column("new_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ttl", sa.Double(), nullable=True),
        sa.Column("whole_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("distrusted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("wait", sa.Double(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["frontier_id"], ["frontier.id"], name=op.f("fk_listings_frontier_id_frontier"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_listings_source_id_sources")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["frontier.id"], name=op.f("fk_listings_parent_id_frontier"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("frontier_id", name=op.f("pk_listings")),
    )
    op.create_index(op.f("ix_listings_source_id"), "listings", ["source_id"])
    op.create_index(op.f("ix_listings_parent_id"), "listings", ["parent_id"])
    # A URL that a source polls already: its own is depth 0. Those of sitemaps are named again by their index.
    op.execute(
        "INSERT INTO listings (frontier_id, source_id) SELECT f.id, s.id FROM frontier f JOIN sources s ON s.id = f.source_id "
        "WHERE f.purpose = 'source' AND f.key = s.name || ' ' || s.url"
    )
    op.execute(
        "UPDATE frontier f SET state = 'cancelled', reason = 'no source polls it', updated_at = now() "
        "WHERE f.purpose = 'source' AND f.state = 'waiting' AND NOT EXISTS (SELECT FROM listings l WHERE l.frontier_id = f.id)"
    )
