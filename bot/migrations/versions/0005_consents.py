"""Consents: every yes and no, with its time, channel, wording and limits"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

AUTO_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply. What was agreed to before is taken over as it is known."""
    op.create_table(
        "consents",
        sa.Column("id", AUTO_ID, autoincrement=True, nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(length=10), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("lang", sa.String(length=12), nullable=False),
        sa.Column("keep_days", sa.Integer(), nullable=True),
        sa.Column("keep_case_days", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_consents_case_id"), "consents", ["case_id"])
    op.execute(
        "INSERT INTO consents (case_id, at, what, version, channel, lang, keep_days, keep_case_days) "
        "SELECT id, consent_at, consent, consent_version, consent_channel, lang, keep_days, keep_case_days "
        "FROM cases WHERE consent_at IS NOT NULL AND consent <> 'none'"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("consents")
