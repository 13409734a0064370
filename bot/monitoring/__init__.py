"""Figures about how the service is used. Knows no HTTP; counts of messages and tickets only, never a person."""
