"""Features have a table of their own, the common ones are counted, and identical texts are twins."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "features",
        sa.Column("feature", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("witness_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("feature", "witness_id", name=op.f("pk_features")),
    )
    op.create_index(
        "ix_features_witness_id",
        "features",
        ["witness_id"],
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )
    # Of what was placed before, all features are looked up: the row does not say which are anchors and which shingles.
    op.execute("INSERT INTO features SELECT DISTINCT f, id FROM witnesses, unnest(features) AS f WHERE story_id IS NOT NULL")
    op.create_table(
        "common_features",
        sa.Column("feature", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stories", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("feature", name=op.f("pk_common_features")),
    )
    op.create_table(
        "placings",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("counted", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placings")),
    )
    op.execute("INSERT INTO placings (id, number) SELECT 1, count(*) FROM witnesses WHERE story_id IS NOT NULL")
    op.drop_index("ix_witnesses_features", table_name="witnesses", postgresql_using="gin")
    op.drop_column("witnesses", "features")
    op.add_column("witnesses", sa.Column("twin_of", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_witnesses_twin_of_witnesses"), "witnesses", "witnesses", ["twin_of"], ["id"])
    op.drop_index(op.f("ix_witnesses_story_id"), table_name="witnesses")
    op.create_index("ix_witnesses_story_id_source", "witnesses", ["story_id", "source"])
    op.create_index(
        "ix_witnesses_text",
        "witnesses",
        [sa.text("md5(text)")],
        postgresql_where=sa.text("story_id IS NOT NULL AND twin_of IS NULL"),
    )
    op.create_index("ix_witnesses_twin_of", "witnesses", ["twin_of", "id"], postgresql_where=sa.text("twin_of IS NOT NULL"))
