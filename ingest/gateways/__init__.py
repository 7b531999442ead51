"""Pollers: ask meters and controllers over their own protocol and publish onto MQTT, as a gateway does."""
