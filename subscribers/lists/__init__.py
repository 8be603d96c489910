"""Lists of readers as a whole: what leaves the site."""
