"""What every floor stands on: types and axis names, spaces, pytrees, errors, the registry, JSON."""
