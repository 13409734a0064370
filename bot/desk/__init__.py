"""What people at the desk do with tickets: look, answer, close. Knows no HTTP; every function takes a connection."""
