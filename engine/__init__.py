"""The dialogue engine: what was meant (NLU), and which action answers it (rules). It keeps nothing between turns."""
