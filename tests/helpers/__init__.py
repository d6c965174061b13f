"""What tests share: commands, servers, requests, pages of the lab, replies to problems, and marks."""
