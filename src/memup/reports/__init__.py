"""Pages made from run directories; never imports jax."""

from memup.reports.page import write_report
from memup.reports.table import ResultTable, result_table

__all__ = ["ResultTable", "result_table", "write_report"]
