"""The road between gate and office: `sync.log` replicates a log, `sync.contract` says what the log carries."""
