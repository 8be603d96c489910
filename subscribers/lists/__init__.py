"""Lists of readers that leave the site."""
