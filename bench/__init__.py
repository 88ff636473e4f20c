"""`make bench`: how long a turn takes, how much memory it needs, and the same for a stock Rasa beside it."""
