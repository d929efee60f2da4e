"""Bundles over HTTP: a process that speaks with clients, and one that answers; no torch."""
