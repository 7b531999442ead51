"""Starts the processes of County Twin, watches them, merges their logs and stops them in order.

Nothing heavy is imported here: the supervisor stays small while it guards the large ones.
"""
