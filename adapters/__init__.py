"""Every way in and out: Slack, Discord, web, command line; settings and the composition root."""
