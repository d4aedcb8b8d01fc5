"""POP3 (RFC 1939) with STLS, SASL, UIDL, TOP, PIPELINING, RESP-CODES and UTF8 over the inbox of an account."""
