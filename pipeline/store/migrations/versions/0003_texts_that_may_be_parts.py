"""A witness says why it may be a part of its article."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("witnesses", sa.Column("partial", sa.Text(), nullable=True))
