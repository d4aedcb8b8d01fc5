"""Certificates: what is there, what is due, how it is ordered by ACME (RFC 8555) and put into place."""
