"""Where a message goes and how it gets there: routing, the queue runner, retries, bounces, notices.

``Router`` answers what an address is and where its mail lies; ``Runner`` empties the queue through a next hop that is
passed in. Nothing here opens a socket.
"""
