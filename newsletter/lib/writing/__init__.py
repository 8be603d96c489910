"""What can be wrong with a text, found without knowing where it stands: words, letters, links."""
