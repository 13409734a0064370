"""Wegwijs: a chat service for newcomers. This package does not know of HTTP; `webhooks` does."""

__version__ = "0.1.0"
