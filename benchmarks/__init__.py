"""How fast it is, measured: benchmarks/README.md says how to run and to read it."""
