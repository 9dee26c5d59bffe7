"""What is due next is found by walking indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_frontier_next", "frontier", ["next_attempt_at"], postgresql_where=sa.text("state = 'waiting'"))
    op.create_index("ix_addresses_free_at", "addresses", ["free_at"])
