"""The episode store and the orders in which its windows are seen."""
