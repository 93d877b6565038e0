"""The office: ingest, gates, entry log, alarms."""
