"""Store in Redis what may be lost, such as a replica of live sessions. Its loss or rollback signs nobody in or out."""
