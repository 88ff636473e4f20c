"""The desk: who is late with an answer, what is the same on both sides, reminders, notes, drafts, figures"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
AUTO_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("cases") as cases:
        cases.add_column(sa.Column("close_reason", sa.String(length=200), nullable=False, server_default=""))
        cases.add_column(sa.Column("waiting_since", MOMENT, nullable=True))
        cases.add_column(sa.Column("due_at", MOMENT, nullable=True))
        cases.add_column(sa.Column("escalations", sa.Integer(), nullable=False, server_default="0"))
        cases.add_column(sa.Column("alert_at", MOMENT, nullable=True))
        cases.add_column(sa.Column("away_until", MOMENT, nullable=True))
        cases.add_column(sa.Column("answered_at", MOMENT, nullable=True))
        cases.add_column(sa.Column("first_answered_at", MOMENT, nullable=True))
        cases.add_column(sa.Column("reopened", sa.Integer(), nullable=False, server_default="0"))
        cases.add_column(sa.Column("satisfaction", sa.Integer(), nullable=True))
        cases.add_column(sa.Column("blocked", sa.Boolean(), nullable=False, server_default=sa.false()))
        cases.create_index(op.f("ix_cases_due_at"), ["due_at"])
        cases.create_index(op.f("ix_cases_alert_at"), ["alert_at"])
    op.create_table(
        "relayed",
        sa.Column("id", AUTO_ID, autoincrement=True, nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("from_person", sa.Boolean(), nullable=False),
        sa.Column("desk_chat_id", sa.BigInteger(), nullable=True),
        sa.Column("desk_message_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("album", sa.String(length=40), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"]),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_relayed_case_id"), "relayed", ["case_id"])
    op.create_index("relayed_desk", "relayed", ["desk_chat_id", "desk_message_id"])
    op.create_index("relayed_person", "relayed", ["conversation_id", "message_id"])
    op.create_table(
        "reminders",
        sa.Column("id", AUTO_ID, autoincrement=True, nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("by_name", sa.String(length=100), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_reminders_case_id"), "reminders", ["case_id"])
    op.create_index(op.f("ix_reminders_due_at"), "reminders", ["due_at"])
    op.create_table(
        "notes",
        sa.Column("id", AUTO_ID, autoincrement=True, nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("by_name", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_notes_case_id"), "notes", ["case_id"])
    op.create_table(
        "drafts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_drafts_case_id"), "drafts", ["case_id"])
    op.create_table(
        "members",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("username", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "desk_events",
        sa.Column("id", AUTO_ID, autoincrement=True, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Integer(), nullable=True),
        sa.Column("in_hours", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_desk_events_at"), "desk_events", ["at"])
    op.create_index(op.f("ix_desk_events_case_id"), "desk_events", ["case_id"])


def downgrade() -> None:
    """Take back."""
    for table in ("desk_events", "members", "drafts", "notes", "reminders", "relayed"):
        op.drop_table(table)
    with op.batch_alter_table("cases") as cases:
        cases.drop_index(op.f("ix_cases_alert_at"))
        cases.drop_index(op.f("ix_cases_due_at"))
        for column in (
            "blocked", "satisfaction", "reopened", "first_answered_at", "answered_at", "away_until", "alert_at",
            "escalations", "due_at", "waiting_since", "close_reason",
        ):  # fmt: skip
            cases.drop_column(column)
