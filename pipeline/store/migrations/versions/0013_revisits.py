"""Pages that gave a text are looked at again, under frontier rows of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("ck_frontier_purpose", "frontier")
    op.create_check_constraint("purpose", "frontier", "purpose IN ('article', 'source', 'revisit')")
    op.create_index("ix_frontier_revisit", "frontier", ["same_as"], postgresql_where=sa.text("purpose = 'revisit'"))
