"""Accounts of people who work here: passwords, the second step, sessions, tries. No HTTP; what a page needs to know."""
