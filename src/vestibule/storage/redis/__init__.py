"""Store in Redis what may be lost, such as a replica of live sessions. The loss or rollback of Redis signs nobody in or
out.
"""
