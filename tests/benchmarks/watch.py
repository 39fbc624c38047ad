# Copyright (c) 2026 emailsec.cloudflare contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts a program and writes down what it took: watch.py FILE COMMAND...

A process counts the memory of the one that it was forked from as its own peak. So what starts the program has to be
smaller than the program: this file imports next to nothing.
"""

import os
import sys
import time

file, command = sys.argv[1], sys.argv[2:]
begin = time.perf_counter()
process = os.posix_spawn(command[0], command, os.environ)
_, status, used = os.wait4(process, 0)
seconds = time.perf_counter() - begin
memory = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
code = os.waitstatus_to_exitcode(status)
with open(file, "w", encoding="utf-8") as out:
    out.write(f'{{"seconds": {seconds}, "cpu": {used.ru_utime + used.ru_stime}, "memory": {memory}, "code": {code}}}')
