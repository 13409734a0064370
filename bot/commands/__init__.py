"""What each command of `wegwijs` does."""
