"""Emails to the newsroom's own people: invitations, links for a new password, test emails."""
