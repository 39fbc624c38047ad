# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck shell=sh
# Runs a Python program with the first Python found that can set the project up: 3.11 or later, with venv.
# Usage: sh with_python.sh PROGRAM [ARGUMENT...]       PYTHON=/path/to/python names one to use.

set -eu

tried=''
for name in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 python}; do
    python=$(command -v "$name") || continue
    # A name on the PATH may be a version manager's stand-in for a Python that is not there: ask, do not assume.
    answer=$("$python" -c '
import sys
try:
    import ensurepip, venv
    verdict = "good"
except ImportError as exc:
    verdict = str(exc)
if sys.version_info < (3, 11):
    verdict = "too old"
print("%s (%d.%d.%d)" % ((verdict,) + sys.version_info[:3]))
' 2>/dev/null) || answer='does not run'
    case $answer in
        good*) exec "$python" "$@" ;;
        *) tried="$tried
  $python: $answer" ;;
    esac
done

cat >&2 <<END
This needs Python 3.11 or later with its venv and ensurepip modules.
Looked at:${tried:-
  nothing: there is no such program on the PATH}
On Debian and Ubuntu: apt-get install python3 python3-venv
Or name a Python to use: PYTHON=/path/to/python3 and the same command.
END
exit 1
