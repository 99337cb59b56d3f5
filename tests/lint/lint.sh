#!/bin/sh
# lint.sh - check what the house rules say; `make lint` runs it and hands CPPFLAGS down.
# One line a finding, `file:line: what`; the longest and the most complex functions;
# as the last line: N passed, N failed.
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$(dirname "$0")/lint.py"
