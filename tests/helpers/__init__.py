"""What tests share: commands, servers, requests, pages of the lab, chains, attempts and replies, and marks."""
