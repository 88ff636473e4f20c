"""Where people and coordinators reach the assistant: the website, Telegram, and the coordinators' group."""
