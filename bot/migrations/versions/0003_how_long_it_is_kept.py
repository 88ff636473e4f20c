"""How long it is kept: what was said of it when somebody agreed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("cases") as cases:
        cases.add_column(sa.Column("keep_days", sa.Integer(), nullable=True))
        cases.add_column(sa.Column("keep_case_days", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("cases") as cases:
        cases.drop_column("keep_case_days")
        cases.drop_column("keep_days")
