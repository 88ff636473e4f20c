"""Erasing and seeing: receipts, what in General tells of a case, and what a one-time link is for"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "receipts",
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.String(length=12), nullable=False),
        sa.Column("in_group", sa.String(length=8), nullable=False),
        sa.Column("left_in_group", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "mentions",
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"]),
        sa.PrimaryKeyConstraint("chat_id", "message_id", "case_id"),
    )
    op.create_index(op.f("ix_mentions_case_id"), "mentions", ["case_id"])
    with op.batch_alter_table("links") as links:
        links.add_column(sa.Column("purpose", sa.String(length=8), nullable=False, server_default="join"))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("links") as links:
        links.drop_column("purpose")
    op.drop_table("mentions")
    op.drop_table("receipts")
