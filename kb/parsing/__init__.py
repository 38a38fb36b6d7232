"""Bytes of any format become Markdown with headings and page marks, in a child process with limits."""
