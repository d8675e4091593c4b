"""Charts, drawn on the server as SVG that fits any width, follows any theme and needs no script.

Texts, columns and rings are placed in percent; lines sit in a nested drawing that
is stretched, with strokes that are not. Colour comes from classes, so there is no
style attribute and a strict policy holds. Every chart carries its data as a
table: the accessible version, and what the tooltip reads.
"""

from codometer.serve.web.charts.columns import stacked_columns
from codometer.serve.web.charts.heat import heat
from codometer.serve.web.charts.lines import line_chart
from codometer.serve.web.charts.plot import Axis, Series, key
from codometer.serve.web.charts.rulers import Outlook, meter, ruler
from codometer.serve.web.charts.sparkline import sparkline

__all__ = [
    "Axis",
    "Outlook",
    "Series",
    "heat",
    "key",
    "line_chart",
    "meter",
    "ruler",
    "sparkline",
    "stacked_columns",
]
