"""Clients of a model server that serves an export, over REST and over gRPC."""
