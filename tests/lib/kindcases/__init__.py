"""A case for every kind of resource and every field of it: what the promise about fields and the contract tests run."""
