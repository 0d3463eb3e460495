"""What libraries say about the machine's Python must not reach standard error: cron mails it."""

from __future__ import annotations

import subprocess
import sys

# The three warnings: before a Python's end of life, in the week after it, and ever after.
WARN = """
from datetime import date, timedelta
import pipelines
from google.api_core import _python_version_support as support
import sys
last = support.PYTHON_VERSION_INFO[sys.version_info[:2]].python_eol
for days in (-30, 7, 400):
    status = support.check_python_version("a package", last + timedelta(days=days))
    assert status is not support.PythonVersionStatus.PYTHON_VERSION_SUPPORTED, days
"""


def test_google_s_notes_on_the_end_of_a_python_are_kept_back():
    ended = subprocess.run(
        [sys.executable, "-c", WARN], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
