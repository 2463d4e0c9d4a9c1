# SPDX-License-Identifier: GPL-2.0-only
"""The files of the tree, for checks that look at all of them."""

import os
import re
import subprocess


class Files:
    """The files of the tree: those that git tracks or would add, else all."""

    def __init__(self, source):
        self.source = source
        done = subprocess.run(["git", "-C", source, "ls-files", "-co", "--exclude-standard"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
        if done.returncode == 0:
            self.all = [f for f in done.stdout.splitlines() if os.path.isfile(self.path(f))]
        else:
            self.all = [os.path.relpath(os.path.join(here, f), source)
                        for here, dirs, files in os.walk(source) for f in files
                        if not os.path.relpath(here, source).startswith(("build", ".git"))]
        self.all.sort()

    def path(self, name):
        return os.path.join(self.source, name)

    def first_line(self, name):
        with open(self.path(name), "rb") as f:
            return f.readline(200).decode(errors="replace")

    def c(self, *folders):
        return [f for f in self.all if f.endswith((".c", ".h")) and f.split("/")[0] in folders]

    def scripts(self, language, *endings):
        """Files whose first line names @language's interpreter, or with one of these endings."""
        return [f for f in self.all
                if f.endswith(endings) or re.match(rf"#!.*\b{language}\b", self.first_line(f))]
