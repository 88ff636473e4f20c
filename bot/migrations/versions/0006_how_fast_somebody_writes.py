"""How fast somebody writes: what came in of late, found without reading all that ever did"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index("inbox_pace", "inbox", ["lane", "received_at"])


def downgrade() -> None:
    """Take back."""
    op.drop_index("inbox_pace", "inbox")
