"""The shipped networks, each from its published definition."""
