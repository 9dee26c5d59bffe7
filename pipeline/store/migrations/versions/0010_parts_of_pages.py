"""A page that holds several stories has a witness for each part."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("witnesses", sa.Column("part", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.drop_constraint(op.f("uq_witnesses_capture_id"), "witnesses", type_="unique")
    op.create_unique_constraint(op.f("uq_witnesses_capture_id_part"), "witnesses", ["capture_id", "part"])
