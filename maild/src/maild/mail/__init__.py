"""Mail as data: addresses, headers, structure, reports. Pure functions and frozen values, no input or output."""
