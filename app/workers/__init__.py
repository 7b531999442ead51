"""Worker processes beside the dashboard."""
