"""Stories are merged, split and linked; what stood beside a story as an excerpt has a story of its own, linked to it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stories", sa.Column("merged_into", sa.BigInteger(), nullable=True))
    op.add_column("stories", sa.Column("unproven", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_foreign_key(op.f("fk_stories_merged_into_stories"), "stories", "stories", ["merged_into"], ["id"])
    op.create_index("ix_stories_merged_into", "stories", ["merged_into"], postgresql_where=sa.text("merged_into IS NOT NULL"))
    op.create_table(
        "story_links",
        sa.Column("witness_id", sa.BigInteger(), nullable=False),
        sa.Column("other_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('excerpt', 'same_template', 'other_language', 'parted')", name=op.f("ck_story_links_kind")
        ),
        sa.ForeignKeyConstraint(
            ["witness_id"], ["witnesses.id"], name=op.f("fk_story_links_witness_id_witnesses"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["witnesses.id"], name=op.f("fk_story_links_other_id_witnesses"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("witness_id", "other_id", name=op.f("pk_story_links")),
    )
    op.create_index(op.f("ix_story_links_other_id"), "story_links", ["other_id"])
    op.create_table(
        "story_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("story_id", sa.BigInteger(), nullable=False),
        sa.Column("other_id", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("witness_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("sigla", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("change IN ('merged', 'split')", name=op.f("ck_story_events_change")),
        sa.ForeignKeyConstraint(
            ["story_id"], ["stories.id"], name=op.f("fk_story_events_story_id_stories"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["stories.id"], name=op.f("fk_story_events_other_id_stories"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_story_events")),
    )
    op.create_index(op.f("ix_story_events_story_id"), "story_events", ["story_id"])
    op.create_index(op.f("ix_story_events_other_id"), "story_events", ["other_id"])
    _give_excerpts_a_story()


def _give_excerpts_a_story() -> None:
    connection = op.get_bind()
    excerpts = sa.text("SELECT id, title, language, relation_evidence FROM witnesses WHERE relation = 'excerpt' ORDER BY id")
    opened = sa.text(
        "INSERT INTO stories (title, language, revision, due_at) VALUES (:title, :language, 1, now()) RETURNING id"
    )
    moved = sa.text("UPDATE witnesses SET story_id = :story, relation = 'copy', siglum = NULL WHERE id = :id")
    linked = sa.text("""
        INSERT INTO story_links (witness_id, other_id, kind, evidence)
        SELECT :id, w.id, 'excerpt', e.relation_evidence
        FROM witnesses e JOIN witnesses w ON w.id = CAST(e.relation_evidence ->> 'of' AS bigint) WHERE e.id = :id
    """)
    for excerpt in connection.execute(excerpts).all():
        story = connection.execute(opened, {"title": excerpt.title, "language": excerpt.language}).scalar_one()
        connection.execute(linked, {"id": excerpt.id})
        connection.execute(moved, {"id": excerpt.id, "story": story})
