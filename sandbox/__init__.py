"""A local Telegram Bot API, for tests and for trying the assistant without a token."""
