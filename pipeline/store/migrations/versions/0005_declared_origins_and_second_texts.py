"""What a page declares of its text's origin and address, and the text that its JSON-LD gives."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("witnesses", sa.Column("second_text", sa.Text(), nullable=True))
    op.add_column("witnesses", sa.Column("slug", sa.Text(), nullable=True))
    op.add_column(
        "witnesses",
        sa.Column("origins", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
    )
    op.add_column("witnesses", sa.Column("canonical_key", sa.Text(), nullable=True))
    op.create_index(op.f("ix_witnesses_canonical_key"), "witnesses", ["canonical_key"])
