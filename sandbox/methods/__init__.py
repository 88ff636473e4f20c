"""The Bot API methods of the sandbox, a module a subject; importing this package fills the table."""

from sandbox.methods import callbacks, chats, edits, files, me, media, messages, topics, updates

__all__ = ["callbacks", "chats", "edits", "files", "me", "media", "messages", "topics", "updates"]
