"""Store in Redis what may be lost, such as a replica of live sessions. If Redis loses data or returns to an older
state, nobody is signed in or out by that.
"""
