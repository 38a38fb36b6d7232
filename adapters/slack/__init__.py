"""Slack as a way in and out: its events become questions, answers become its messages."""
