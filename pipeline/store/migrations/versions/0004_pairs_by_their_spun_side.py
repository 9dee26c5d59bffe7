"""Learned pairs are found by their spun side, too."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_learned_pairs_spun", "learned_pairs", ["language", "spun"], unique=False)
