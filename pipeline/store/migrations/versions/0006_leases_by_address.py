"""Hosts that share an address may share a lease, and the hosts that are free are found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "addresses",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("free_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_addresses")),
    )
    op.add_column("hosts", sa.Column("address", sa.Text(), nullable=True))
    op.create_index("ix_hosts_free_at", "hosts", ["free_at"])
    op.create_index("ix_hosts_address", "hosts", ["address"])
