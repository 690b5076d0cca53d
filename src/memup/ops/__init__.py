"""Pure maths on one sequence that no library offers."""
