"""Who really sent a message: SPF, DKIM, DMARC and ARC checked, the result written, one decision made; mail signed.

``check_message`` serves the SMTP server at the end of DATA, ``sign_outgoing`` the delivery. Resolver, clock and options
are passed in; nothing here reads settings, stores rows or speaks to a peer.
"""
