"""Which answer fits a message? Pure: text in, `Understanding` out. Knows no contact, no database and no network."""

from bot.understanding.outcome import Candidate, Outcome, Understander, Understanding

__all__ = ["Candidate", "Outcome", "Understander", "Understanding"]
