#!/bin/sh
# Print the Python interpreter for the virtual environment. One that only root can run (in /root, for
# example) comes last: the services run as other users and couldn't start with it.

version='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))'
shared='
import os, pathlib, sys
found = pathlib.Path(sys.executable).resolve()
paths = [found, *found.parents, pathlib.Path(sys.base_prefix).resolve()]
sys.exit(not all(path.stat().st_mode & 0o001 for path in paths))
'

suits() { "$1" -c "$version" 2>/dev/null; }
reachable() { [ "$(id -u)" -ne 0 ] || "$1" -c "$shared" 2>/dev/null; }

private=""
for name in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3 python}; do
  for python in "$(command -v "$name")" "/usr/local/bin/$name" "/usr/bin/$name"; do
    [ -n "$python" ] && suits "$python" || continue
    if reachable "$python"; then echo "$python"; exit 0; fi
    private="${private:-$python}"
  done
done

if [ -n "$private" ]; then
  echo "Only root can run $private, but the services run as other users. It works for a" >&2
  echo "trial. For services, install Python for all users (on Debian: apt install python3-venv)," >&2
  echo "then run: make clean && make setup" >&2
  echo "$private"
  exit 0
fi
echo "Tydzen needs Python 3.11 to 3.14 with its venv module (on Debian: apt install" >&2
echo "python3-venv). If it is elsewhere, name it: make run PYTHON=/path/to/python3.12" >&2
exit 1
