"""Full-text search that is the same on SQLite and PostgreSQL (H5).

`words` folds a text to words, `stems` strips endings, and `documents` makes the lexemes of a row
from both. `searchable` keeps them in the row's column `lexemes`, `fields` looks them up, `index`
creates each database's index, and `query` understands what somebody typed. `weeks` reads dates.
"""
