"""HTTP: what Telegram, Twilio and browsers talk to. Decides nothing; hands over to `bot`."""
