"""The store's SQL: the schema, and one module for each group of operations, written once for every engine."""
