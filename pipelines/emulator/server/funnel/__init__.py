"""RunFunnelReport (v1alpha): users on their way through ordered steps.

`request` checks and compiles what was asked, `walk` follows the users (pure numpy), `answer` runs
it on a store and writes the response with the oddities of Google's own.
"""

from pipelines.emulator.server.funnel.answer import run_funnel_report
from pipelines.emulator.server.funnel.request import FunnelRequest, read_funnel

__all__ = ["FunnelRequest", "read_funnel", "run_funnel_report"]
