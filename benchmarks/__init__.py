"""What memup is measured by: suites of rows, programs of others beside ours, tables and pictures.

python -m benchmarks list
python -m benchmarks run SUITE [--cells PATTERN] [--again] [--workers N] [--quick]
python -m benchmarks compare --base DIR
python -m benchmarks render [--check]
"""
