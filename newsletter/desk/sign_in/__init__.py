"""Signing in to the desk: passwords, second factors, sessions, and slowing down guessers (I4)."""
